"""`python -m casper_ray.medallion`: the pipeline alone, over what the volume holds."""

from __future__ import annotations

import json
import sys
from typing import Annotated

import typer

from casper_ray.config import DEFAULT_LAKE, load_environment
from casper_ray.console.run_command import run_command
from casper_ray.errors import ConfigError
from casper_ray.medallion.pipelines import DEFAULT, PIPELINES, pipeline_of_options

app = typer.Typer(
    add_completion=False, pretty_exceptions_enable=False, help="Keep a pipeline's tables up to date."
)

_Pipeline = Annotated[
    str | None,
    typer.Option(
        help=f"{', '.join(PIPELINES)}, or module:NAME of a Pipeline of your own.",
        show_default=f"of the catalog's world, {DEFAULT}",
    ),
]
_Lake = Annotated[str, typer.Option(help="Folder of the lake.")]
_Catalog = Annotated[str | None, typer.Option(help="Catalog in the lake.", show_default="the pipeline's")]
_Json = Annotated[bool, typer.Option("--json", help="One JSON object on stdout.")]


@app.command()
def run(
    pipeline: _Pipeline = None,
    lake: _Lake = DEFAULT_LAKE,
    catalog: _Catalog = None,
    full_refresh: Annotated[
        bool, typer.Option("--full-refresh", help="Rebuild every table from the volume.")
    ] = False,
    refresh: Annotated[
        list[str] | None, typer.Option(help="Rebuild this table from the volume; may be repeated.")
    ] = None,
    quality: Annotated[
        str | None,
        typer.Option(
            help="Rules: a name in configs/quality, a .yml file, or none.", show_default="the pipeline's"
        ),
    ] = None,
    late: Annotated[
        str,
        typer.Option(
            help="count: late rows are counted and kept in Bronze; accept: they count all the same."
        ),
    ] = "count",
    as_json: _Json = False,
) -> None:
    """Take what is new in the volume through Bronze, Silver and Gold, once, and end."""

    def action() -> int:
        if full_refresh and refresh:
            raise ConfigError("--full-refresh rebuilds every table; --refresh names some: only one of them")
        if late not in ("count", "accept"):
            raise ConfigError(f"--late: saw {late!r}, expected count or accept")
        if late == "accept" and refresh:
            raise ConfigError(
                "--late accept with --refresh: the other tables would not have the rows",
                "use --full-refresh --late accept",
            )
        from casper_ray.medallion.runner import Wishes
        from casper_ray.medallion.standalone import Order, run_pipeline

        def told(text: str) -> None:
            print(text, file=sys.stderr if as_json else sys.stdout, flush=True)

        order = Order(
            reference=_reference(pipeline, lake, catalog),
            lake=lake,
            catalog=catalog,
            full_refresh=full_refresh,
            refresh=tuple(refresh or ()),
            wishes=Wishes(quality=quality, late_accepted=late == "accept"),
        )
        summary = run_pipeline(order, load_environment(), told)
        if as_json:
            print(json.dumps(summary))
        return 0

    raise typer.Exit(run_command(action, as_json=as_json))


@app.command("dry-run")
def dry_run(
    pipeline: _Pipeline = None,
    lake: _Lake = DEFAULT_LAKE,
    catalog: _Catalog = None,
    quality: Annotated[str | None, typer.Option(help="Rules, as for run.")] = None,
    as_json: _Json = False,
) -> None:
    """Check the pipeline and print its graph; read and write no data."""

    def action() -> int:
        from casper_ray.medallion.drawing import graph_json, graph_lines
        from casper_ray.medallion.graph import check_rules, checked_tables
        from casper_ray.medallion.one_pass import load_pipeline
        from casper_ray.medallion.quality_config import resolve_quality

        loaded = load_pipeline(_reference(pipeline, lake, catalog))
        tables = checked_tables(loaded)
        rules = resolve_quality(loaded, quality)
        check_rules(loaded, rules)
        if as_json:
            print(json.dumps(graph_json(loaded, tables, rules)))
        else:
            print("\n".join(graph_lines(loaded, tables, rules)))
        return 0

    raise typer.Exit(run_command(action, as_json=as_json))


def _reference(pipeline: str | None, lake: str, catalog: str | None) -> str:
    if pipeline is None:
        return pipeline_of_options(lake, catalog)
    if pipeline in PIPELINES:
        return PIPELINES[pipeline]
    if ":" in pipeline:
        return pipeline
    known = ", ".join(sorted(PIPELINES))
    raise ConfigError(f"--pipeline: saw {pipeline!r}, expected {known}, or module:NAME")
