"""`casper serve`: agents over HTTP, until somebody ends it; and what a start that lives is doing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from casper_ray.console.run_command import run_command
from casper_ray.serve.keys_command import keys_app

if TYPE_CHECKING:
    from pathlib import Path

app = typer.Typer(
    add_completion=False,
    pretty_exceptions_enable=False,
    invoke_without_command=True,
    help="Serve agents over HTTP, or look at and end what is served.",
)

app.add_typer(keys_app, name="keys")

_STOP_S = 120.0

_Target = Annotated[str, typer.Option("--target", "-t", help="Name in configs/serve, or a .yml file.")]
_Lake = Annotated[str | None, typer.Option(help="Folder of the lake.", show_default="the target's")]
_Json = Annotated[bool, typer.Option("--json", help="One JSON object on stdout.")]


@app.callback()
def serve(
    context: typer.Context,
    target: _Target = "local",
    lake: _Lake = None,
    port: Annotated[int | None, typer.Option(help="Port of the door.", show_default="the target's")] = None,
    for_: Annotated[str | None, typer.Option("--for", help="End after this wall time, as 30s or 5m.")] = None,
    as_json: _Json = False,
    quiet: Annotated[bool, typer.Option("--quiet", help="Nothing but errors; no key is made.")] = False,
) -> None:
    """Serve agents over HTTP. Ctrl-C answers what was asked, and ends; twice, it ends at once."""
    if context.invoked_subcommand is not None:
        return

    def action() -> int:
        from casper_ray.serve.start import ServeOrder, serve_ordered

        return serve_ordered(ServeOrder(target, lake, port, for_, as_json, quiet))

    raise typer.Exit(run_command(action, as_json=as_json))


@app.command()
def status(target: _Target = "local", lake: _Lake = None, as_json: _Json = False) -> None:
    """The start that serves this lake: its deployments, replicas and open requests."""

    def action() -> int:
        from casper_ray.serve.running import read_running
        from casper_ray.serve.status import status_lines, status_of

        found = status_of(read_running(_state_file(target, lake)))
        _print_json(found) if as_json else typer.echo("\n".join(status_lines(found)))
        return 0

    raise typer.Exit(run_command(action, as_json=as_json))


@app.command()
def stop(target: _Target = "local", lake: _Lake = None, as_json: _Json = False) -> None:
    """End the start that serves this lake, as Ctrl-C does, and wait until it is gone."""

    def action() -> int:
        from casper_ray.serve.running import stop_running

        ended = stop_running(_state_file(target, lake), within_s=_STOP_S)
        found = {"stopped": True, "pid": ended.pid, "url": ended.url}
        _print_json(found) if as_json else typer.echo(f"{ended.url}: process {ended.pid} has ended")
        return 0

    raise typer.Exit(run_command(action, as_json=as_json))


def _state_file(target: str, lake: str | None) -> Path:
    from casper_ray.serve.running import state_file
    from casper_ray.serve.target import load_target

    return state_file(load_target(target, lake=lake).settings)


def _print_json(value: dict[str, object]) -> None:
    import sys

    from casper_ray.console.json_lines import write_object

    write_object(sys.stdout, value)
