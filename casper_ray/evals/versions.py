"""Versions of agents in MLflow's registry: the prompt, and what decides with it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import yaml

from casper_ray.agents.agent import Agent, Rules, agent_version
from casper_ray.agents.prompts import load_prompt
from casper_ray.errors import ConfigError

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities.model_registry import ModelVersion

CHAMPION: Final = "champion"
CHALLENGER: Final = "challenger"
VERSION: Final = "agent_version"
"""The tag that names an agent's version wherever MLflow has one."""
_DIGEST_CHARS = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentVersion:
    """An agent with its rules on an engine of these settings. Declares; registering is `registered`."""

    agent: Agent
    rules: Rules
    engine: Mapping[str, Any]

    @property
    def version(self) -> str:
        return agent_version(self.agent, self.rules, self.engine)

    @property
    def rules_yaml(self) -> str:
        return yaml.safe_dump(dict(self.rules.raw), sort_keys=False)

    @property
    def engine_json(self) -> str:
        return json.dumps(dict(self.engine), sort_keys=True, default=str)

    @property
    def tags(self) -> dict[str, str]:
        """What a registered version says of itself."""
        tools = json.dumps([tool.described() for tool in self.agent.tools], sort_keys=True)
        return {
            VERSION: self.version,
            "prompt": self.agent.prompt,
            "prompt_digest": load_prompt(self.agent.prompt).digest,
            "tools_digest": hashlib.sha256(tools.encode()).hexdigest()[:_DIGEST_CHARS],
            "policy": self.rules_yaml,
            "gate_version": self.rules.gate.version,
            "engine": self.engine_json,
        }


def prompt_registered(client: MlflowClient, agent: Agent) -> int:
    """The registry's number of the agent's prompt, registered as `AGENT.prompt` if its text was not yet.

    Retry: safe. A text is found again by an alias of its digest.
    """
    prompt = load_prompt(agent.prompt)
    name, alias = f"{agent.name}.prompt", f"sha-{prompt.digest}"
    found = client.load_prompt(f"prompts:/{name}@{alias}", allow_missing=True)
    if found is None:
        tags = {"file": prompt.name, "digest": prompt.digest}
        found = client.register_prompt(name, prompt.text, commit_message=prompt.name, tags=tags)
        client.set_prompt_alias(name, alias, found.version)
    return int(found.version)


def version_registered(
    client: MlflowClient, declared: AgentVersion, run_id: str, source: str
) -> ModelVersion:
    """The registry's entry of a version, made if need be. run_id, source: of the run that it is first seen with.

    Retry: safe: one entry a version.
    """
    name = declared.agent.name
    if not client.search_registered_models(f"name = '{name}'"):
        client.create_registered_model(name, description=declared.agent.title)
    found = find_version(client, name, declared.version)
    if found is not None:
        return found
    return client.create_model_version(name, source=source, run_id=run_id, tags=declared.tags)


def find_version(client: MlflowClient, agent: str, version: str) -> ModelVersion | None:
    """The registry's entry of an agent's version; None: it is not registered."""
    found = client.search_model_versions(f"name = '{agent}' and tags.{VERSION} = '{version}'")
    return found[0] if found else None


def set_alias(client: MlflowClient, agent: str, version: str, alias: str) -> None:
    """Call a registered version champion or challenger; the one that was is not any more. Raises: ConfigError."""
    found = find_version(client, agent, version) if version.isalnum() else None
    if found is None:
        known = sorted(entry.tags[VERSION] for entry in client.search_model_versions(f"name = '{agent}'"))
        raise ConfigError(
            f"agent {agent}: version {version!r} is not registered",
            f"registered are {known}" if known else f"`casper agents register --agent {agent}` registers it",
        )
    client.set_registered_model_alias(agent, alias, found.version)
