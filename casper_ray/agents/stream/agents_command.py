"""`casper agents`: which there are, run one over the stream, decide one case, switch one off."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from casper_ray.config import DEFAULT_CATALOGS, DEFAULT_LAKE
from casper_ray.console.run_command import run_command

if TYPE_CHECKING:
    from casper_ray.lakehouse.names import Catalog

app = typer.Typer(
    add_completion=False,
    pretty_exceptions_enable=False,
    no_args_is_help=True,
    help="Agents: which there are, run them, decide one case, switch them off and on.",
)

_Agent = Annotated[str, typer.Option(help="Name of the agent, as `casper agents ls` lists them.")]
_Name = Annotated[str, typer.Argument(help="Name of the agent.")]
_Engine = Annotated[str, typer.Option(help="Who proposes: policy, or an engine of a model.")]
_Lake = Annotated[str, typer.Option(help="Folder of the lake.")]
_CatalogName = Annotated[
    str | None, typer.Option(help="Catalog in the lake.", show_default="of the agent's domain")
]
_Json = Annotated[bool, typer.Option("--json", help="One JSON object on stdout.")]


@app.command()
def ls(
    lake: _Lake = DEFAULT_LAKE,
    catalog: _CatalogName = None,
    engine: _Engine = "policy",
    as_json: _Json = False,
) -> None:
    """The agents: version, domain, tools, and whether they are switched off."""

    def action() -> int:
        from casper_ray.agents.stream.listing import agents_listed, listed_lines

        rows = agents_listed(lake, catalog, engine)
        _print_json({"agents": rows}) if as_json else typer.echo("\n".join(listed_lines(rows)))
        return 0

    raise typer.Exit(run_command(action, as_json=as_json))


@app.command()
def run(
    agent: _Agent,
    engine: _Engine = "policy",
    follow: Annotated[bool, typer.Option("--follow", help="Go on as batches come.")] = False,
    for_: Annotated[
        str | None, typer.Option("--for", help="With --follow, end after this wall time, as 60s or 5m.")
    ] = None,
    lake: _Lake = DEFAULT_LAKE,
    catalog: _CatalogName = None,
    as_json: _Json = False,
    quiet: Annotated[bool, typer.Option("--quiet", help="Nothing but errors.")] = False,
) -> None:
    """Decide every case that batches brought, once, and commit the decisions; run again it goes on from there."""

    def action() -> int:
        if engine != "policy":  # asks of one case at a time
            from casper_ray.cluster import one_thread

            one_thread()
        from casper_ray.agents.stream.run_action import RunOrder, run_ordered

        order = RunOrder(agent, engine, follow, for_, lake, catalog, as_json, quiet)
        return run_ordered(order)

    raise typer.Exit(run_command(action, as_json=as_json))


@app.command()
def decide(
    agent: _Agent,
    order: Annotated[str | None, typer.Option(help="Id of the order to decide on.")] = None,
    transaction: Annotated[str | None, typer.Option(help="Id of the transaction to decide on.")] = None,
    subject: Annotated[str | None, typer.Option(help="Id of whatever else the agent decides on.")] = None,
    location: Annotated[
        int | None, typer.Option(help="Ask as somebody of this location, who may ask of no other's orders.")
    ] = None,
    commit: Annotated[
        bool, typer.Option("--commit", help="Keep it as the case's decision; the stream then skips it.")
    ] = False,
    engine: _Engine = "policy",
    lake: _Lake = DEFAULT_LAKE,
    catalog: _CatalogName = None,
    as_json: _Json = False,
) -> None:
    """Decide one case now and print it with its evidence; nothing is committed unless asked."""

    def action() -> int:
        from casper_ray.agents.stream.listing import decided_json, decided_lines
        from casper_ray.agents.stream.one_case import decide_one
        from casper_ray.agents.stream.run_action import build_setting
        from casper_ray.config import load_environment
        from casper_ray.errors import ConfigError

        load_environment()
        given = [name for name in (order, transaction, subject) if name is not None]
        if len(given) != 1:
            raise ConfigError("--order, --transaction, --subject: give one of them")
        setting = build_setting(agent, engine, lake, catalog)
        made = decide_one(setting, given[0], commit=commit, location=location)
        _print_json(decided_json(made)) if as_json else typer.echo("\n".join(decided_lines(made)))
        return 0

    raise typer.Exit(run_command(action, as_json=as_json))


@app.command()
def off(name: _Name, lake: _Lake = DEFAULT_LAKE, catalog: _CatalogName = None) -> None:
    """The kill switch: from the next micro-batch on, every case of the agent goes to a person."""
    raise typer.Exit(run_command(lambda: _switch(name, lake, catalog, off=True)))


@app.command()
def on(name: _Name, lake: _Lake = DEFAULT_LAKE, catalog: _CatalogName = None) -> None:
    """Let the agent decide again. What went to a person meanwhile stays there."""
    raise typer.Exit(run_command(lambda: _switch(name, lake, catalog, off=False)))


def _switch(name: str, lake: str, catalog: str | None, *, off: bool) -> int:
    from casper_ray.agents.registry import load_agent
    from casper_ray.agents.stream.switch import Switch
    from casper_ray.lakehouse.names import existing_catalog

    domain = load_agent(name).domain
    where: Catalog = existing_catalog(lake, catalog or DEFAULT_CATALOGS[domain])
    switch = Switch(where, name)
    switch.turn_off() if off else switch.turn_on()
    typer.echo(f"{name} is {'off' if off else 'on'} in catalog {where.name}")
    return 0


def _print_json(value: dict[str, object]) -> None:
    import sys

    from casper_ray.console.json_lines import write_object

    write_object(sys.stdout, value)
