"""Which world a catalog holds: one, from its first run on."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

from casper_ray import durable
from casper_ray.domain.time import CANONICAL_EPOCH
from casper_ray.errors import LakeError
from casper_ray.lakehouse.names import Catalog
from casper_ray.main_job.domains.domain import Domain, Order, W
from casper_ray.main_job.options import JobOptions
from casper_ray.sim.clock import wall_now

LAKE_FORMAT = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """What makes a world the same world. anchor: `dataset`, or `now` for one whose start day is a first run's."""

    domain: str
    seed: int
    scenario: str
    days: int
    anchor: str
    epoch: datetime
    world: str

    @property
    def replay_id(self) -> str:
        """The name of this world's replay in file names: the seed, and a part of the world's digest."""
        return f"{self.domain}-{self.seed}-{self.world[:8]}"


class _Asked(NamedTuple):
    """What makes the world, as asked for. days: None is the scenario's own."""

    seed: int
    days: int | None
    scenario: str
    anchor: str


def resolve_world(catalog: Catalog, options: JobOptions, domain: Domain[W]) -> tuple[Identity, W]:
    """The catalog's world, made known to it on the first run.

    What was not asked for is as the catalog has it. Raises: LakeError where the catalog holds another
    world than was asked for, or one of another format; ConfigError where the world cannot be built.
    """
    path = catalog.world_file
    stored = _stored(catalog, path)
    if stored and stored.domain != domain.name:
        raise LakeError(
            f"{_where(catalog)}: holds another world; domain is {stored.domain}, asked for {domain.name}",
            f"go on with it by --domain {stored.domain}, or use another --catalog or --lake",
        )
    asked = _asked(options, stored, domain.scenario)
    epoch = stored.epoch if stored else _epoch(asked.anchor, start_day(options, domain))
    world = domain.build(Order(asked.scenario, asked.seed, asked.days, epoch, options.loop))
    identity = Identity(
        domain=domain.name,
        seed=world.seed,
        scenario=asked.scenario,
        days=world.days,
        anchor=asked.anchor,
        epoch=epoch,
        world=world.digest(),
    )
    if stored is None:
        durable.write_json(path, _as_json(identity))
    elif stored != identity:
        raise LakeError(
            f"{_where(catalog)}: holds another world; {_differences(stored, identity)}",
            _way_on(stored, identity),
        )
    return identity, world


def start_day(options: JobOptions, domain: Domain[W]) -> int:
    """The day that a first run catches up to."""
    return domain.start_day if options.start_day is None else options.start_day


def _asked(options: JobOptions, stored: Identity | None, scenario: str) -> _Asked:
    """The options, and for what they leave open what the catalog has, or the default."""
    default = _Asked(42, None, scenario, "dataset")
    if stored:
        default = _Asked(stored.seed, stored.days, stored.scenario, stored.anchor)
    return _Asked(
        default.seed if options.seed is None else options.seed,
        default.days if options.days is None else options.days,
        options.scenario or default.scenario,
        options.anchor or default.anchor,
    )


def _epoch(anchor: str, first_day: int) -> datetime:
    """Day 0: the canonical one, or so that the start day is today."""
    if anchor == "dataset":
        return CANONICAL_EPOCH
    today = wall_now().replace(hour=0, minute=0, second=0, microsecond=0)
    return today - timedelta(days=first_day)


def _stored(catalog: Catalog, path: Path) -> Identity | None:
    try:
        value = durable.read_json(path)
        return None if value is None else _identity(catalog, value)
    except (ValueError, KeyError, TypeError) as error:
        raise LakeError(
            f"{path}: does not say which world this is ({error})", "restore it from a copy"
        ) from error


def _identity(catalog: Catalog, value: dict[str, Any]) -> Identity:
    if (found := value.pop("format", None)) != LAKE_FORMAT:
        raise LakeError(
            f"{_where(catalog)}: is of format {found}, expected {LAKE_FORMAT}",
            "it was made by another version of casper_ray; use that one, or another --lake",
        )
    epoch = datetime.fromisoformat(value.pop("epoch")).astimezone(UTC)
    return Identity(epoch=epoch, **value)


def _where(catalog: Catalog) -> str:
    return f"lake {catalog.lake}, catalog {catalog.name}"


def _as_json(identity: Identity) -> dict[str, object]:
    return {
        "format": LAKE_FORMAT,
        "domain": identity.domain,
        "seed": identity.seed,
        "scenario": identity.scenario,
        "days": identity.days,
        "anchor": identity.anchor,
        "epoch": identity.epoch.isoformat(),
        "world": identity.world,
    }


def _way_on(stored: Identity, asked: Identity) -> str:
    if replace(asked, world=stored.world) == stored:
        return "bring back what made it (a scenario's file, or the version) to go on with it, or use another --lake"
    return "leave these options out to go on with what is there, or use another --lake"


def _differences(stored: Identity, asked: Identity) -> str:
    names = ("seed", "scenario", "days", "anchor")
    told = [
        f"{name} is {getattr(stored, name)}, asked for {getattr(asked, name)}"
        for name in names
        if getattr(stored, name) != getattr(asked, name)
    ]
    made = f"what scenario {asked.scenario} says now, in this version, makes {asked.world}"
    return "; ".join(told) or f"its digest is {stored.world}, {made}"
