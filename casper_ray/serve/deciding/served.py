"""The agents that are served, as the stream runs them: each on its engine, over its domain's catalog."""

from __future__ import annotations

from typing import Final

from casper_ray.agents.engines.build import build_engine
from casper_ray.agents.registry import load_agent
from casper_ray.agents.stream.runner import Setting
from casper_ray.errors import ConfigError
from casper_ray.lakehouse.names import existing_catalog
from casper_ray.serve.settings import ServeSettings

_ASKING_AT_ONCE: Final = 4


def build_served(settings: ServeSettings) -> dict[str, Setting]:
    """By agent's name. Raises: ConfigError, LakeError."""
    return {name: build_one(settings, name) for name in sorted(settings.agents)}


def build_one(settings: ServeSettings, name: str) -> Setting:
    """One agent's. Raises: ConfigError, LakeError."""
    agent = load_agent(name)
    if agent.domain not in settings.catalogs:
        raise ConfigError(
            f"agents: {name} is of domain {agent.domain}, which is not served",
            f"give catalogs a {agent.domain}, such as {{{agent.domain}: NAME}}",
        )
    catalog = existing_catalog(settings.lake, settings.catalogs[agent.domain])
    return Setting(catalog=catalog, agent=agent, engine=build_engine(settings.agents[name].engine))


def calls_at_once(setting: Setting) -> int:
    """How many groups of an agent are worked on at the same time.

    Rules: one of the policy's: two made the groups half as large, and on two processors a fifth less was decided at
           nearly twice the processor time. Several of an engine that asks a model: it waits, mostly.
    """
    return 1 if setting.engine.name == "policy" else _ASKING_AT_ONCE


def catalogs_of(served: dict[str, Setting]) -> dict[str, dict[str, Setting]]:
    """The same by catalog's name: one keeper each."""
    found: dict[str, dict[str, Setting]] = {}
    for name, setting in served.items():
        found.setdefault(setting.catalog.name, {})[name] = setting
    return found
