"""The agents there are, by name. Each is imported when it is asked for."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Final

from casper_ray.errors import ConfigError

if TYPE_CHECKING:
    from casper_ray.agents.agent import Agent

AGENTS: Final = {
    "alert": "casper_ray.agents.bank.alert:ALERT",
    "complaint": "casper_ray.agents.kitchen.complaint:COMPLAINT",
    "credit": "casper_ray.agents.bank.credit:CREDIT",
    "fraud": "casper_ray.agents.bank.fraud:FRAUD",
    "refund": "casper_ray.agents.kitchen.refund:REFUND",
    "screening": "casper_ray.agents.bank.screening:SCREENING",
}


def load_agent(name: str) -> Agent:
    """The agent of a name. Raises: ConfigError."""
    if name not in AGENTS:
        raise ConfigError(f"agent {name!r}: there is none of that name", f"agents are {sorted(AGENTS)}")
    module, _, attribute = AGENTS[name].partition(":")
    found: Agent = getattr(import_module(module), attribute)
    return found
