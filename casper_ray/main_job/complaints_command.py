"""`casper complaints`: customers who complain, and the tables of what they wrote."""

from __future__ import annotations

import json
import sys
from typing import Annotated

import typer

from casper_ray.config import DEFAULT_LAKE
from casper_ray.console.run_command import run_command
from casper_ray.domain.time import duration_s
from casper_ray.errors import ConfigError
from casper_ray.lakehouse.names import existing_catalog

app = typer.Typer(
    add_completion=False,
    pretty_exceptions_enable=False,
    no_args_is_help=True,
    help="Complaints of the kitchen's customers.",
)


@app.callback()
def complaints() -> None:
    """Complaints of the kitchen's customers."""


@app.command()
def run(
    rate: Annotated[
        float | None,
        typer.Option(
            help="Share of delivered orders that are complained of.", show_default="0.15, or as before"
        ),
    ] = None,
    follow: Annotated[bool, typer.Option("--follow", help="Go on with the kitchen until Ctrl-C.")] = False,
    tick: Annotated[str, typer.Option(help="Wall time between looks, with --follow.")] = "1s",
    lake: Annotated[str, typer.Option(help="Folder of the lake.")] = DEFAULT_LAKE,
    catalog: Annotated[str, typer.Option(help="Catalog in the lake.")] = "caspers",
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object on stdout.")] = False,
) -> None:
    """Write what is due by the kitchen's newest batch, and take it into the tables of schema `support`."""

    def action() -> int:
        tick_s = duration_s(tick)
        if tick_s is None:
            raise ConfigError(f"--tick: saw {tick!r}, expected a duration above 0")
        from casper_ray.main_job import complaints as feeds
        from casper_ray.main_job.job import stop_on_signals

        comes: list[feeds.Come] = []

        def told(come: feeds.Come) -> None:
            comes.append(come)
            line = f"{come.landed:,} complaints, {come.batches} batches, to {come.sim_to}"
            print(line, file=sys.stderr if as_json else sys.stdout, flush=True)

        with (
            stop_on_signals() as stop,
            feeds.open_feed(lake, existing_catalog(lake, catalog), rate) as feed,
        ):
            told(feed.advance())
            if follow:
                feeds.follow(feed, stop, tick_s, told)
        if as_json:
            landed, batches = sum(come.landed for come in comes), sum(come.batches for come in comes)
            print(json.dumps({"complaints": landed, "batches": batches, "sim_to": comes[-1].sim_to}))
        return 0

    raise typer.Exit(run_command(action, as_json=as_json))
