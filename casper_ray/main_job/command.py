"""`python -m casper_ray.sim`, alias `casper sim`: the options as a person types them."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from casper_ray.config import DEFAULT_LAKE, load_environment
from casper_ray.console.run_command import run_command
from casper_ray.console.watchers import build_watcher
from casper_ray.main_job.domains import DOMAINS
from casper_ray.main_job.options import JobOptions, checked_options

_INTERRUPTED = 130

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@app.command()
def sim(
    domain: Annotated[
        str, typer.Option(help=f"The business to simulate: {' or '.join(DOMAINS)}.")
    ] = "kitchen",
    speed: Annotated[
        str, typer.Option(help="Simulated seconds a second: 1, 60, 3600, 86400, …; or max.")
    ] = "3600",
    lake: Annotated[str, typer.Option(help="Folder of the lake.")] = DEFAULT_LAKE,
    catalog: Annotated[
        str | None,
        typer.Option(help="Catalog in the lake.", show_default="the domain's: caspers, bank_dev"),
    ] = None,
    seed: Annotated[int | None, typer.Option(help="Seed of the world.", show_default="42")] = None,
    days: Annotated[
        int | None, typer.Option(help="Days of the dataset.", show_default="the scenario's, 90")
    ] = None,
    start_day: Annotated[
        int | None,
        typer.Option(
            help="The first run catches up to this day, at the current time of day.",
            show_default="the domain's: 70, bank 30",
        ),
    ] = None,
    for_: Annotated[
        str | None, typer.Option("--for", help="End after this much wall time of live replay, as 60s.")
    ] = None,
    until_day: Annotated[
        float | None, typer.Option(help="End when this many days of the dataset have been replayed.")
    ] = None,
    trigger: Annotated[
        str, typer.Option(help="continuous; or available-now: what is due, and end.")
    ] = "continuous",
    tick: Annotated[str, typer.Option(help="Wall time between batches.")] = "1s",
    scenario: Annotated[
        str | None,
        typer.Option(
            help="Scenario, its file, or several joined by +.", show_default="the domain's baseline"
        ),
    ] = None,
    loop: Annotated[bool, typer.Option("--loop", help="Past the last day, begin again.")] = False,
    anchor: Annotated[
        str | None,
        typer.Option(
            help="dataset: day 0 is 2024-01-01; now: the start day is today.", show_default="dataset"
        ),
    ] = None,
    start_from: Annotated[
        str | None, typer.Option("--from", help="Begin at this instant, without catching up.")
    ] = None,
    no_pipeline: Annotated[
        bool, typer.Option("--no-pipeline", help="Only land event files; leave the tables.")
    ] = False,
    quality: Annotated[
        str | None,
        typer.Option(
            help="Rules: a name in configs/quality, a .yml file, or none.", show_default="the domain's"
        ),
    ] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="One JSON object at the end, on the last line of stdout.")
    ] = False,
    quiet: Annotated[bool, typer.Option("--quiet", help="Say nothing unless it fails.")] = False,
) -> None:
    """Simulate a business and replay its events into a lakehouse of Delta tables.

    Ctrl-C ends it with everything saved; run again on the same lake, it goes on from there.
    """

    def run() -> int:
        options = checked_options(
            domain=domain,
            speed=speed,
            lake=lake,
            catalog=catalog,
            seed=seed,
            days=days,
            start_day=start_day,
            for_=for_,
            until_day=until_day,
            trigger=trigger,
            tick=tick,
            scenario=scenario,
            loop=loop,
            anchor=anchor,
            start_from=start_from,
            pipeline=not no_pipeline,
            quality=quality,
        )
        return _run(options, quiet=quiet, as_json=as_json)

    raise typer.Exit(run_command(run, as_json=as_json))


def _run(options: JobOptions, *, quiet: bool, as_json: bool) -> int:
    from casper_ray.main_job.job import run_job  # imports Ray and polars: not for --help

    with build_watcher(quiet=quiet, as_json=as_json, stdout_is_terminal=sys.stdout.isatty()) as watcher:
        outcome = run_job(options, load_environment(), watcher)
    return _INTERRUPTED if outcome.interrupted else 0
