"""`casper replay`: steer a replay that runs in another process."""

from __future__ import annotations

import json
from typing import Annotated

import typer

from casper_ray.config import DEFAULT_LAKE
from casper_ray.console.run_command import run_command
from casper_ray.errors import LakeError
from casper_ray.lakehouse.lease import current_holder
from casper_ray.lakehouse.names import Catalog, existing_catalog
from casper_ray.main_job.options import parse_speed
from casper_ray.sim.control import Control

app = typer.Typer(
    add_completion=False,
    pretty_exceptions_enable=False,
    no_args_is_help=True,
    help="Steer a running replay: pause, resume, speed, status.",
)

_Lake = Annotated[str, typer.Option(help="Folder of the lake.")]
_Catalog = Annotated[str, typer.Option(help="Catalog in the lake, such as caspers or bank_dev.")]


@app.command()
def pause(lake: _Lake = DEFAULT_LAKE, catalog: _Catalog = "caspers") -> None:
    """Stand still; simulated time waits."""
    _ask(lake, catalog, "paused", paused=True)


@app.command()
def resume(lake: _Lake = DEFAULT_LAKE, catalog: _Catalog = "caspers") -> None:
    """Go on from where the pause began."""
    _ask(lake, catalog, "resumed", paused=False)


@app.command()
def speed(
    x: Annotated[str, typer.Argument(help="Simulated seconds a second, or max.")],
    lake: _Lake = DEFAULT_LAKE,
    catalog: _Catalog = "caspers",
) -> None:
    """Go on at another speed from here; simulated time does not jump."""
    _ask(lake, catalog, f"speed {x}", speed=x)


@app.command()
def status(
    lake: _Lake = DEFAULT_LAKE,
    catalog: _Catalog = "caspers",
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object on stdout.")] = False,
) -> None:
    """Whether a replay runs, where it stands and how fast it goes."""

    def action() -> int:
        where = existing_catalog(lake, catalog)
        running = current_holder(where.state / "replay.lease") is not None
        told = {"running": running, **(_control(where).told() or {})}
        if as_json:
            typer.echo(json.dumps(told))
        else:
            for name, value in told.items():
                typer.echo(f"{name:14} {value}")
        return 0

    raise typer.Exit(run_command(action, as_json=as_json))


def _ask(lake: str, catalog: str, done: str, *, paused: bool | None = None, speed: str | None = None) -> None:
    def action() -> int:
        wanted = parse_speed(speed) if speed is not None else None
        where = existing_catalog(lake, catalog)
        holder = current_holder(where.state / "replay.lease")
        if holder is None:
            raise LakeError(
                f"lake {lake}, catalog {catalog}: no replay is running",
                f"start one with `python -m casper_ray.sim --lake {lake}`",
            )
        _control(where).ask(paused=paused, speed=wanted)
        typer.echo(f"asked process {holder.pid}: {done}")
        return 0

    raise typer.Exit(run_command(action))


def _control(catalog: Catalog) -> Control:
    return Control(catalog.state / "replay")
