"""The main job's options, checked."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import UTC, datetime

from casper_ray.config import DEFAULT_CATALOGS
from casper_ray.domain.time import duration_s
from casper_ray.errors import ConfigError
from casper_ray.main_job.domains import DOMAINS

_TOP_SPEED = 1e9


@dataclass(frozen=True, slots=True, kw_only=True)
class JobOptions:
    """What the main job was asked to do.

    speed: infinity for `max`. start_day: None is the domain's. None for seed, days, scenario, anchor: what the lake's
    world has, or the default.
    """

    domain: str
    speed: float
    lake: str
    catalog: str
    seed: int | None
    days: int | None
    start_day: int | None
    for_s: float | None
    until_day: float | None
    available_now: bool
    tick_s: float
    scenario: str | None
    loop: bool
    anchor: str | None
    start_from: datetime | None
    pipeline: bool
    quality: str | None = None


def parse_speed(text: str) -> float:
    """A speed such as `3600`, `3600x` or `max`. Raises: ConfigError."""
    if text == "max":
        return math.inf
    try:
        speed = float(text.removesuffix("x").removesuffix("×"))
    except ValueError:
        speed = math.nan
    if not 0 < speed <= _TOP_SPEED:
        raise ConfigError(
            f"--speed: saw {text!r}, expected a number above 0 (simulated seconds a second) or 'max'",
            "3600 is an hour a second; 86400 a day a second",
        )
    return speed


def parse_duration_s(option: str, text: str) -> float:
    """Seconds of a duration such as `60s`, `5m`, `1.5h`, `500ms` or `60`. Raises: ConfigError."""
    seconds = duration_s(text)
    if seconds is None:
        raise ConfigError(
            f"{option}: saw {text!r}, expected a duration above 0", "such as 500ms, 60s, 5m, 2h, 1d"
        )
    return seconds


def parse_instant(option: str, text: str) -> datetime:
    """An ISO 8601 instant; UTC where it names no zone. Raises: ConfigError."""
    try:
        instant = datetime.fromisoformat(text)
    except ValueError:
        raise ConfigError(f"{option}: saw {text!r}, expected an instant such as 2024-02-01T06:00") from None
    return instant.replace(tzinfo=UTC) if instant.tzinfo is None else instant.astimezone(UTC)


def checked_options(
    *,
    domain: str,
    speed: str,
    lake: str,
    catalog: str | None,
    seed: int | None,
    days: int | None,
    start_day: int | None,
    for_: str | None,
    until_day: float | None,
    trigger: str,
    tick: str,
    scenario: str | None,
    loop: bool,
    anchor: str | None,
    start_from: str | None,
    pipeline: bool,
    quality: str | None = None,
) -> JobOptions:
    """The options as they were typed, parsed. Raises: ConfigError for the first that cannot be used."""
    _one_of("--domain", domain, tuple(DOMAINS))
    _one_of("--trigger", trigger, ("continuous", "available-now"))
    if anchor is not None:
        _one_of("--anchor", anchor, ("dataset", "now"))
    _at_least("--seed", seed, 0)
    _at_least("--days", days, 1)
    _at_least("--start-day", start_day, 0)
    if until_day is not None and not 0 < until_day < math.inf:
        raise ConfigError(f"--until-day: saw {until_day}, expected a number above 0")
    return JobOptions(
        domain=domain,
        speed=parse_speed(speed),
        lake=lake,
        catalog=catalog or DEFAULT_CATALOGS[domain],
        seed=seed,
        days=days,
        start_day=start_day,
        for_s=parse_duration_s("--for", for_) if for_ else None,
        until_day=until_day,
        available_now=trigger == "available-now",
        tick_s=parse_duration_s("--tick", tick),
        scenario=scenario,
        loop=loop,
        anchor=anchor,
        start_from=parse_instant("--from", start_from) if start_from else None,
        pipeline=pipeline,
        quality=quality,
    )


def _one_of(option: str, saw: str, known: tuple[str, ...]) -> None:
    if saw not in known:
        raise ConfigError(f"{option}: saw {saw!r}, expected one of {', '.join(known)}")


def _at_least(option: str, saw: int | None, least: int) -> None:
    if saw is not None and saw < least:
        raise ConfigError(f"{option}: saw {saw}, expected {least} or more")
