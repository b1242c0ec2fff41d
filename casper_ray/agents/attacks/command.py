"""`casper agents attack`: the corpus of attacks against an agent."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from casper_ray.config import DEFAULT_CATALOGS, DEFAULT_LAKE
from casper_ray.console.lines import write_line
from casper_ray.console.run_command import run_command

_NOT_HELD = 1


def attack(
    engine: Annotated[
        str, typer.Option(help="Who answers: gullible, policy, or an engine on the endpoint.")
    ] = "gullible",
    lake: Annotated[str, typer.Option(help="Folder of the lake.")] = DEFAULT_LAKE,
    catalog: Annotated[str, typer.Option(help="Catalog of the kitchen in the lake.")] = DEFAULT_CATALOGS[
        "kitchen"
    ],
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object on stdout.")] = False,
) -> None:
    """Try every attack of the corpus on the refund agent with the lake's own orders. Nothing is committed.

    Exits with 1 where money moved that is not due, or a model was told of another case.
    """

    def action() -> int:
        from casper_ray.agents.attacks.attack_run import AttackOrder, attack_lines, held, run_attacks
        from casper_ray.agents.attacks.attack_run import as_json as told_json
        from casper_ray.console.json_lines import write_object

        found = run_attacks(AttackOrder(lake=lake, catalog=catalog, engine=engine))
        if as_json:
            write_object(sys.stdout, told_json(found))
        else:
            write_line(sys.stdout, "\n".join(attack_lines(found)))
        return 0 if held(found) else _NOT_HELD

    raise typer.Exit(run_command(action, as_json=as_json))
