"""What would keep a target from being served, found before Ray starts: each a UserError of one line."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from typing import NamedTuple

from casper_ray.agents.registry import AGENTS
from casper_ray.errors import ConfigError, LakeError, LeaseHeldError, UserError
from casper_ray.lakehouse.lease import current_holder
from casper_ray.lakehouse.names import Catalog, existing_catalog
from casper_ray.security.private_file import OTHERS_WRITE, read_private_file
from casper_ray.serve.settings import ServeSettings
from casper_ray.serve.target import HttpOptions, Target


class Served(NamedTuple):
    """An agent that is to be served, and where."""

    agent: str
    engine: str
    catalog: Catalog


def check_target(target: Target, *, local: bool) -> list[Served]:
    """What is to be served. local: the door will be on this machine, so its port can be tried.

    Raises: UserError, the first that is found: port, TLS, lake, agents, engines, leases, secrets, model.
    """
    if local:
        _check_port(target.http)
    _check_tls(target.http)
    found = list(served(target))
    _check_secrets(target.settings)
    for one in found:
        _check_lease(one)
    if target.settings.llm is not None:
        from casper_ray.serve.llm.deployment import check_model

        check_model(target.settings.llm)
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
    read_private_file(http.ssl_certfile, "TLS certificate", forbidden=OTHERS_WRITE)
    read_private_file(http.ssl_keyfile, "TLS key")
    import ssl

    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(
            http.ssl_certfile, http.ssl_keyfile, password=lambda: b""
        )
    except (ssl.SSLError, OSError) as error:
        why = getattr(error, "reason", None) or type(error).__name__
        raise ConfigError(
            f"TLS certificate {http.ssl_certfile} and key {http.ssl_keyfile}: cannot be used together ({why})",
            "they have to be a pair, in PEM, the key without a password",
        ) from error


def _check_secrets(settings: ServeSettings) -> None:
    from casper_ray.serve.access.key_file import keys_path, read_keys
    from casper_ray.serve.access.token_key import load_token_key

    read_keys(keys_path(settings))
    if (jwt := settings.access.jwt) is not None:
        load_token_key(jwt.algorithm, jwt.key_file)


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
    from casper_ray.agents.engines.build import build_engine

    try:
        build_engine(engine)
    except ConfigError as error:
        raise ConfigError(f"agent {agent!r}: {error.what}", error.hint) from error


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
