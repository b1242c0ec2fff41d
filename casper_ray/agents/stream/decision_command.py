"""`casper decision`: one decision, shown or made again."""

from __future__ import annotations

from typing import Annotated

import typer

from casper_ray.config import DEFAULT_LAKE
from casper_ray.console.run_command import run_command

app = typer.Typer(
    add_completion=False,
    pretty_exceptions_enable=False,
    no_args_is_help=True,
    help="Look at a decision, or make it again from the same inputs.",
)

_Id = Annotated[
    str, typer.Argument(help="Id of the decision, its beginning, or a case such as order:ABC123.")
]
_Lake = Annotated[str, typer.Option(help="Folder of the lake.")]
_CatalogName = Annotated[str, typer.Option(help="Catalog in the lake, such as caspers or bank_dev.")]
_Json = Annotated[bool, typer.Option("--json", help="One JSON object on stdout.")]


@app.command()
def show(
    decision: _Id, lake: _Lake = DEFAULT_LAKE, catalog: _CatalogName = "caspers", as_json: _Json = False
) -> None:
    """The decision as the table has it."""

    def action() -> int:
        import sys

        from casper_ray.agents.stream.listing import decision_json, decision_lines
        from casper_ray.agents.stream.past import found_decision
        from casper_ray.console.json_lines import write_object
        from casper_ray.lakehouse.names import existing_catalog

        found = found_decision(existing_catalog(lake, catalog), decision)
        if as_json:
            write_object(sys.stdout, decision_json(found))
        else:
            typer.echo("\n".join(decision_lines(found)))
        return 0

    raise typer.Exit(run_command(action, as_json=as_json))


@app.command()
def replay(
    decision: _Id, lake: _Lake = DEFAULT_LAKE, catalog: _CatalogName = "caspers", as_json: _Json = False
) -> None:
    """Make the decision again from the tables as its batch left them; exit 1 where it comes out otherwise."""

    def action() -> int:
        import sys

        from casper_ray.agents.stream.listing import replay_json, replay_lines
        from casper_ray.agents.stream.past import decided_again, found_decision
        from casper_ray.console.json_lines import write_object
        from casper_ray.lakehouse.names import existing_catalog

        where = existing_catalog(lake, catalog)
        again = decided_again(where, found_decision(where, decision))
        if as_json:
            write_object(sys.stdout, replay_json(again))
        else:
            typer.echo("\n".join(replay_lines(again)))
        return 0 if again.equal else 1

    raise typer.Exit(run_command(action, as_json=as_json))
