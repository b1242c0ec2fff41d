"""`casper agents attack`: the corpus of attacks against an agent."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from casper_ray.config import DEFAULT_LAKE
from casper_ray.console.lines import write_line
from casper_ray.console.run_command import run_command

_NOT_HELD = 1


def attack(
    agent: Annotated[
        str, typer.Option(help="Name of the agent, as `casper agents ls` lists them.")
    ] = "refund",
    engine: Annotated[
        str, typer.Option(help="Who answers: gullible, policy, or an engine on the endpoint.")
    ] = "gullible",
    lake: Annotated[str, typer.Option(help="Folder of the lake.")] = DEFAULT_LAKE,
    catalog: Annotated[
        str | None, typer.Option(help="Catalog in the lake.", show_default="of the agent's domain")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object on stdout.")] = False,
) -> None:
    """Try every attack of the corpus on an agent with the lake's own cases. Nothing is committed.

    Exits with 1 where something was given that is not due, or a model was told of another case.
    """

    def action() -> int:
        from casper_ray.agents.attacks.attack_run import AttackOrder, attack_lines, run_attacks
        from casper_ray.agents.attacks.attack_run import as_json as told_json
        from casper_ray.console.json_lines import write_object

        found = run_attacks(AttackOrder(agent=agent, lake=lake, catalog=catalog, engine=engine))
        if as_json:
            write_object(sys.stdout, told_json(found))
        else:
            write_line(sys.stdout, "\n".join(attack_lines(found)))
        return 0 if found.held else _NOT_HELD

    raise typer.Exit(run_command(action, as_json=as_json))
