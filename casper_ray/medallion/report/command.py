"""`casper quality`: how the rows did by the rules."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from casper_ray.config import DEFAULT_LAKE
from casper_ray.console.run_command import run_command

app = typer.Typer(
    add_completion=False,
    pretty_exceptions_enable=False,
    no_args_is_help=True,
    help="How the rows of a lake did by its rules: show, report.",
)

_Lake = Annotated[str, typer.Option(help="Folder of the lake.")]
_CatalogName = Annotated[str, typer.Option(help="Catalog in the lake, such as caspers or bank_dev.")]
_Json = Annotated[bool, typer.Option("--json", help="One JSON object on stdout.")]


@app.command()
def show(lake: _Lake = DEFAULT_LAKE, catalog: _CatalogName = "caspers", as_json: _Json = False) -> None:
    """A line a rule: rows that passed and failed, the last failure, owner and tags."""

    def action() -> int:
        from casper_ray.console.json_lines import write_object
        from casper_ray.console.lines import write_line
        from casper_ray.lakehouse.names import existing_catalog
        from casper_ray.medallion.report.evidence import load_log
        from casper_ray.medallion.report.figures import rule_figures
        from casper_ray.medallion.report.listing import rule_lines, rules_json

        where = existing_catalog(lake, catalog)
        rules = rule_figures(load_log(where, schema=where.pipeline_schema))
        if as_json:
            write_object(sys.stdout, rules_json(rules))
        else:
            write_line(sys.stdout, "\n".join(rule_lines(rules)))
        return 0

    raise typer.Exit(run_command(action, as_json=as_json))


@app.command()
def report(
    lake: _Lake = DEFAULT_LAKE,
    catalog: _CatalogName = "caspers",
    out: Annotated[Path, typer.Option(help="The page's file; one that is there is replaced.")] = Path(
        "quality.html"
    ),
) -> None:
    """One HTML page that needs nothing but itself: accounts, trends, worst offenders, stopped batches."""

    def action() -> int:
        from casper_ray.lakehouse.names import existing_catalog
        from casper_ray.medallion.report.written import write_report

        typer.echo(write_report(existing_catalog(lake, catalog), lake, out))
        return 0

    raise typer.Exit(run_command(action))
