"""`casper agents register|champion|compare`: versions in MLflow. MLflow is imported when a command runs."""

from __future__ import annotations

from typing import Annotated

import typer

from casper_ray.config import DEFAULT_CATALOGS, DEFAULT_LAKE
from casper_ray.console.run_command import run_command

_Agent = Annotated[str, typer.Option(help="The agent's name, such as refund.")]
_Lake = Annotated[str, typer.Option(help="Folder of the lake.")]
_CatalogName = Annotated[str | None, typer.Option(help="Catalog in the lake; by default the domain's.")]


def register(
    agent: _Agent,
    lake: _Lake = DEFAULT_LAKE,
    catalog: _CatalogName = None,
    engine: Annotated[str, typer.Option(help="The engine that decides: policy.")] = "policy",
    traces: Annotated[float, typer.Option(min=0, max=1, help="Share of decisions to trace.")] = 0.01,
    most_traces: Annotated[int, typer.Option(min=0, max=10_000, help="Traces of one version at most.")] = 100,
) -> None:
    """Register the agent's version, and log what its decisions in the lake came to, with a sample of traces."""

    def action() -> int:
        from casper_ray.agents.agent import load_rules
        from casper_ray.agents.registry import load_agent
        from casper_ray.config import tracking_uri
        from casper_ray.evals.engines import engine_settings
        from casper_ray.evals.register import register_version
        from casper_ray.evals.tracking import open_tracking
        from casper_ray.evals.versions import AgentVersion
        from casper_ray.lakehouse.names import existing_catalog

        found = load_agent(agent)
        where = existing_catalog(lake, catalog or DEFAULT_CATALOGS[found.domain])
        declared = AgentVersion(agent=found, rules=load_rules(found), engine=engine_settings(engine))
        with open_tracking(where.lake, tracking_uri()) as tracking:
            done = register_version(tracking, declared, where, rate=traces, most=most_traces)
        typer.echo(
            f"{agent} {declared.version}: version {done.number}, prompt {done.prompt}, "
            f"{done.decisions:,} decisions, {done.traces:,} new traces"
        )
        return 0

    raise typer.Exit(run_command(action))


def champion(
    agent: _Agent,
    version: Annotated[str, typer.Option(help="The version, as decisions name it.")],
    lake: _Lake = DEFAULT_LAKE,
    challenger: Annotated[bool, typer.Option("--challenger", help="Call it challenger instead.")] = False,
) -> None:
    """Call a registered version the champion, or the challenger."""

    def action() -> int:
        from casper_ray.config import tracking_uri
        from casper_ray.evals.tracking import open_tracking
        from casper_ray.evals.versions import CHALLENGER, CHAMPION, set_alias
        from casper_ray.lakehouse.names import local_folder

        alias = CHALLENGER if challenger else CHAMPION
        with open_tracking(local_folder(lake), tracking_uri()) as tracking:
            set_alias(tracking.client, agent, version, alias)
        typer.echo(f"{agent} {version}: {alias}")
        return 0

    raise typer.Exit(run_command(action))


def compare(
    agent: _Agent,
    version: Annotated[str, typer.Option(help="A version, as decisions name it.")],
    other: Annotated[str, typer.Option(help="Another.")],
    lake: _Lake = DEFAULT_LAKE,
    catalog: _CatalogName = None,
) -> None:
    """Figures of two versions' decisions beside each other."""

    def action() -> int:
        from casper_ray.agents.registry import load_agent
        from casper_ray.config import tracking_uri
        from casper_ray.evals.comparison import comparison_lines, metrics_of
        from casper_ray.evals.tracking import open_tracking
        from casper_ray.lakehouse.names import existing_catalog

        where = existing_catalog(lake, catalog or DEFAULT_CATALOGS[load_agent(agent).domain])
        with open_tracking(where.lake, tracking_uri()) as tracking:
            ours, theirs = (metrics_of(tracking, agent, name, where.name) for name in (version, other))
        typer.echo("\n".join(comparison_lines(version, ours, other, theirs)))
        return 0

    raise typer.Exit(run_command(action))
