"""Snapshots and a summary of a run that never was, for tests and pictures."""

from __future__ import annotations

from casper_ray.console.progress import Lag, PlaceState, Progress, Summary, TableState, Words
from casper_ray.domain.time import CANONICAL_EPOCH, US_PER_DAY, US_PER_HOUR, sim_micros

EPOCH_US = sim_micros(CANONICAL_EPOCH)
LAG = Lag(p50_ms=212.34, p95_ms=483.0, p99_ms=None)
WORDS = Words(counted="orders", places="locations", amount="revenue", currency_sign="$", period="hour")
_TABLES = (
    "all_events",
    "silver_order_items",
    "gold_order_header",
    "gold_item_sales_day",
    "gold_brand_sales_day",
    "gold_location_sales_hourly",
    "gold_location_brand_day",
    "gold_location_peak_hours",
)


def tables(version: int = 5, count: int = 8) -> tuple[TableState, ...]:
    """The kitchen's tables, a thousand rows a version; made-up ones beyond the first eight."""
    names = [*_TABLES, *(f"gold_more_{n}" for n in range(count))][:count]
    return tuple(TableState(name=f"lakeflow.{name}", rows=version * 1000, version=version) for name in names)


def places(count: int = 4) -> tuple[PlaceState, ...]:
    names = ["San Francisco", "Silicon Valley", "Bellevue", "Chicago", *(f"Place {n}" for n in range(count))]
    return tuple(
        PlaceState(name=names[n], counted=12_345, amount_cents=39_171_099, recent=tuple(range(24)))
        for n in range(count)
    )


def progress(
    *,
    phase: str = "live",
    wall_s: float = 30.0,
    version: int = 5,
    table_count: int = 8,
    place_count: int = 4,
    note: str = "",
    fraction: float | None = 0.62,
    speed_asked: float | None = 3600.0,
    speed_reached: float | None = 3598.2,
    quarantined: int = 0,
    words: Words = WORDS,
) -> Progress:
    return Progress(
        phase=phase,
        sim_now_us=EPOCH_US + 70 * US_PER_DAY + 14 * US_PER_HOUR,
        sim_from_us=EPOCH_US,
        goal_us=None,
        epoch_us=EPOCH_US,
        speed_asked=speed_asked,
        speed_reached=speed_reached,
        events=1_008_500,
        events_per_s=12_345.6,
        lag=LAG,
        wall_s=wall_s,
        batches=161,
        quarantined=quarantined,
        tables=tables(version, table_count),
        places=places(place_count),
        words=words,
        note=note,
        fraction=fraction,
        goal_text="to day 90",
    )


def summary(*, domain: str = "kitchen", counted_as: str = "orders", quarantined: int = 0) -> Summary:
    return Summary(
        replay_id="r-42",
        domain=domain,
        events=228_000,
        counted=17_040,
        counted_as=counted_as,
        sim_from_us=EPOCH_US + 70 * US_PER_DAY,
        sim_to_us=EPOCH_US + 90 * US_PER_DAY,
        wall_s=480.0,
        events_per_s=475.0,
        lag=LAG,
        batches=480,
        duplicates=2,
        late=12,
        quarantined=quarantined,
        tables=tables(count=2),
        lake="/data/lake",
        catalog="caspers",
        ended="the end of the data",
        next_steps=(
            ("casper lake ls", "the tables"),
            ("casper sim --loop", "again"),
            ("casper serve", "ask"),
        ),
    )
