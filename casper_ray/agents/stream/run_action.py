"""What `casper agents run` does."""

from __future__ import annotations

import sys
from contextlib import ExitStack, redirect_stdout
from dataclasses import replace
from typing import NamedTuple

from casper_ray.agents.engines.build import build_engine
from casper_ray.agents.registry import load_agent
from casper_ray.agents.stream.follow import run_agent, stopped_by_signals
from casper_ray.agents.stream.report import Report
from casper_ray.agents.stream.runner import Setting
from casper_ray.agents.stream.teller import build_teller
from casper_ray.config import DEFAULT_CATALOGS, load_environment
from casper_ray.console.failure import INTERRUPTED
from casper_ray.console.json_lines import write_object
from casper_ray.domain.time import duration_s
from casper_ray.errors import ConfigError
from casper_ray.lakehouse.names import existing_catalog, open_catalog


class RunOrder(NamedTuple):
    """The command's options as they were typed."""

    agent: str
    engine: str
    follow: bool
    for_: str | None
    lake: str
    catalog: str | None
    as_json: bool
    quiet: bool


def run_ordered(order: RunOrder) -> int:
    """The exit code; the summary is told by then. Raises: UserError."""
    for_s = _for_s(order)
    setting = build_setting(order.agent, order.engine, order.lake, order.catalog, make=order.follow)
    setting = replace(setting, environment=load_environment())
    teller = build_teller(quiet=order.quiet, as_json=order.as_json)
    report = Report(setting.catalog, order.agent, order.engine, teller)
    out = sys.stdout
    with ExitStack() as stack:
        if order.as_json:
            stack.enter_context(redirect_stdout(sys.stderr))
        stop = stack.enter_context(stopped_by_signals())
        with teller:
            run_agent(setting, report, follow=order.follow, for_s=for_s, stop=stop)
        summary = report.finish(_ended(order, interrupted=stop.is_set()))
    if order.as_json:
        write_object(out, summary)
    return INTERRUPTED if stop.is_set() else 0


def build_setting(agent: str, engine: str, lake: str, catalog: str | None, *, make: bool = False) -> Setting:
    """An agent on an engine over a catalog. make: the catalog need not be there yet. Raises: UserError."""
    declared = load_agent(agent)
    name = catalog or DEFAULT_CATALOGS[declared.domain]
    where = open_catalog(lake, name) if make else existing_catalog(lake, name)
    return Setting(catalog=where, agent=declared, engine=build_engine(engine))


def _for_s(order: RunOrder) -> float | None:
    if order.for_ is None:
        return None
    if not order.follow:
        raise ConfigError("--for: says when --follow ends; without it a run ends with what is there")
    seconds = duration_s(order.for_)
    if seconds is None:
        raise ConfigError(f"--for: saw {order.for_!r}, expected a duration above 0", "such as 500ms, 60s, 5m")
    return seconds


def _ended(order: RunOrder, *, interrupted: bool) -> str:
    if interrupted:
        return "interrupted; everything is saved"
    return f"{order.for_} were asked for" if order.follow else "every case so far is decided"
