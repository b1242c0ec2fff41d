"""`casper lake`: look at what a lake holds."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from casper_ray.config import DEFAULT_LAKE
from casper_ray.console.run_command import run_command
from casper_ray.lakehouse.keep_command import diff, optimize, vacuum

if TYPE_CHECKING:
    from casper_ray.lakehouse.names import Catalog

app = typer.Typer(
    add_completion=False,
    pretty_exceptions_enable=False,
    no_args_is_help=True,
    help="Look at what a lake holds, look after it, mend it.",
)

_Lake = Annotated[str, typer.Option(help="Folder of the lake.")]
_CatalogName = Annotated[str, typer.Option(help="Catalog in the lake, such as caspers or bank_dev.")]
_Table = Annotated[str, typer.Argument(help="schema.table, or a table of the pipeline.")]


@app.command("ls")
def ls(lake: _Lake = DEFAULT_LAKE, catalog: _CatalogName = "caspers") -> None:
    """Tables with their versions, rows and bytes."""

    def action() -> int:
        from casper_ray.lakehouse.inspect import table_facts
        from casper_ray.lakehouse.names import existing_catalog

        typer.echo(f"{'table':44}{'version':>9}{'rows':>14}{'files':>8}{'bytes':>16}")
        for fact in table_facts(existing_catalog(lake, catalog)):
            typer.echo(
                f"{fact.name:44}{fact.version:>9,}{fact.rows:>14,}{fact.files:>8,}{fact.size_bytes:>16,}"
            )
        return 0

    raise typer.Exit(run_command(action))


@app.command()
def show(
    table: _Table,
    lake: _Lake = DEFAULT_LAKE,
    catalog: _CatalogName = "caspers",
    rows: Annotated[int, typer.Option(min=1, help="How many rows; of batches, how many batches.")] = 20,
    version: Annotated[int | None, typer.Option(min=0, help="The table at this version.")] = None,
    as_of: Annotated[
        str | None, typer.Option(help="What was known at this simulated instant, as 2024-03-01T12:00.")
    ] = None,
    at: Annotated[str | None, typer.Option(help="The table at this wall-clock instant.")] = None,
) -> None:
    """Some rows of a table: now, at a version or an instant. `show batches` shows where each batch's rows went."""

    def action() -> int:
        from casper_ray.lakehouse.batch_lines import batch_lines
        from casper_ray.lakehouse.inspect import When, shown
        from casper_ray.lakehouse.names import existing_catalog

        where: Catalog = existing_catalog(lake, catalog)
        when = When(version, as_of, at)
        if table in ("batches", f"{where.pipeline_schema}.batches") and not any(when):
            typer.echo("\n".join(batch_lines(where, rows)))
        else:
            typer.echo(shown(where, table, rows=rows, when=when))
        return 0

    raise typer.Exit(run_command(action))


@app.command()
def history(
    table: _Table,
    lake: _Lake = DEFAULT_LAKE,
    catalog: _CatalogName = "caspers",
    limit: Annotated[int, typer.Option(min=1, help="How many versions.")] = 20,
) -> None:
    """The newest versions of a table: when, and which batch."""

    def action() -> int:
        from casper_ray.lakehouse.inspect import history_lines
        from casper_ray.lakehouse.names import existing_catalog

        typer.echo("\n".join(history_lines(existing_catalog(lake, catalog), table, limit)))
        return 0

    raise typer.Exit(run_command(action))


app.command()(diff)
app.command()(optimize)
app.command()(vacuum)
