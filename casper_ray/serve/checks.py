"""What would keep a target from being served, found before Ray starts: each a UserError of one line."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from casper_ray.agents.registry import AGENTS
from casper_ray.errors import ConfigError, LakeError, LeaseHeldError, UserError
from casper_ray.lakehouse.lease import current_holder
from casper_ray.lakehouse.names import Catalog, existing_catalog
from casper_ray.serve.private_file import check_private, check_readable
from casper_ray.serve.settings import LlmSettings, ServeSettings
from casper_ray.serve.target import HttpOptions, Target


class Served(NamedTuple):
    """An agent that is to be served, and where."""

    agent: str
    engine: str
    catalog: Catalog


def check_target(target: Target, *, local: bool) -> list[Served]:
    """What is to be served. local: the door will be on this machine, so its port can be tried.

    Raises: UserError, the first that is found: port, TLS, secrets, lake, agents, engines, leases, model.
    """
    if local:
        _check_port(target.http)
    _check_tls(target.http)
    _check_secrets(target.settings)
    found = list(served(target))
    for one in found:
        _check_lease(one)
    if target.settings.llm is not None:
        _check_model(target.settings.llm)
    return found


def served(target: Target) -> Iterator[Served]:
    """Every agent with its catalog. Raises: ConfigError, LakeError."""
    settings = target.settings
    catalogs = {domain: _catalog(settings.lake, domain, name) for domain, name in settings.catalogs.items()}
    if not settings.agents and settings.llm is None:
        raise ConfigError(f"{target.where}: agents: none is named", f"agents are {sorted(AGENTS)}")
    for name, agent in settings.agents.items():
        _check_engine(name, agent.engine)
        domain = _domain(name)
        if domain not in catalogs:
            raise ConfigError(
                f"{target.where}: agent {name!r} works on domain {domain!r}, which `catalogs` does not name",
                f"add `{domain}: NAME` to catalogs, or leave the agent out",
            )
        yield Served(name, agent.engine, catalogs[domain])


def _check_port(http: HttpOptions) -> None:
    """Raises: UserError where it is taken, or cannot be had."""
    family = socket.AF_INET6 if ":" in http.host else socket.AF_INET
    with socket.socket(family) as trial:
        trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            trial.bind((http.host, http.port))
        except OSError as error:
            raise UserError(
                f"port {http.port} of {http.host}: cannot be had ({error.strerror})",
                "choose another with --port, or `casper serve stop` what has it",
            ) from error


def _check_tls(http: HttpOptions) -> None:
    if http.ssl_certfile is None or http.ssl_keyfile is None:
        return
    check_readable(http.ssl_certfile, "TLS certificate")
    check_private(http.ssl_keyfile, "TLS key")
    import ssl

    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(
            http.ssl_certfile.expanduser(), http.ssl_keyfile.expanduser(), password=lambda: b""
        )
    except (ssl.SSLError, OSError) as error:
        why = getattr(error, "reason", None) or type(error).__name__
        raise ConfigError(
            f"TLS certificate {http.ssl_certfile} and key {http.ssl_keyfile}: cannot be used together ({why})",
            "they have to be a pair, in PEM, the key without a password",
        ) from error


def _check_secrets(settings: ServeSettings) -> None:
    keys, jwt = settings.access.keys_file, settings.access.jwt
    if keys is not None and keys.expanduser().exists():
        check_private(keys, "keys file")
    if jwt is not None:
        check = check_private if jwt.algorithm == "HS256" else check_readable
        check(jwt.key_file, "key file of tokens")


def _catalog(lake: str, domain: str, name: str) -> Catalog:
    catalog = existing_catalog(lake, name)
    if not (catalog.table(catalog.pipeline_schema, "batches") / "_delta_log").is_dir():
        raise LakeError(
            f"lake {lake}, catalog {name}: has no batch yet",
            f"`casper sim --domain {domain} --lake {lake}` brings some",
        )
    return catalog


def _domain(agent: str) -> str:
    """Of an agent: where its module is, so that nothing of it is imported. Raises: ConfigError."""
    if agent not in AGENTS:
        raise ConfigError(f"agent {agent!r}: there is none of that name", f"agents are {sorted(AGENTS)}")
    return AGENTS[agent].split(".")[2]


def _check_engine(agent: str, engine: str) -> None:
    if engine == "policy":
        return
    from casper_ray.agents.engines.build import ENGINES

    if engine not in ENGINES:
        raise ConfigError(
            f"agent {agent!r}: engine {engine!r}: there is none of that name", f"engines are {list(ENGINES)}"
        )


def _check_lease(one: Served) -> None:
    """Raises: LeaseHeldError. The Keeper takes it for good; who has it now is told before anything is started."""
    holder = current_holder(one.catalog.state / f"agents-{one.agent}.lease")
    if holder is not None:
        raise LeaseHeldError(
            f"agent {one.agent}, catalog {one.catalog.name}: process {holder.pid} on {holder.host} decides for it "
            f"since {holder.since} ({holder.command})",
            f"end it, or `kill {holder.pid}`; `casper serve stop` if it is another start",
            holder.pid,
        )


def _check_model(llm: LlmSettings) -> None:
    """Raises: ConfigError where a folder is meant that is not there. An id is vLLM's to know."""
    paths = {"source": llm.source} | {f"adapters.{name}": path for name, path in llm.adapters.items()}
    for where, text in paths.items():
        path = Path(text).expanduser()
        if not path.exists() and _is_path(text):
            raise ConfigError(
                f"llm.{where}: {text}: there is no such folder", "give a model's folder, or its id"
            )
        if path.is_dir() and where == "source" and not (path / "config.json").is_file():
            raise ConfigError(f"llm.source: {text}: has no config.json, so it is no model's folder")


def _is_path(text: str) -> bool:
    """Ids are `name` or `owner/name`."""
    return text.startswith(("/", ".", "~")) or text.count("/") > 1
