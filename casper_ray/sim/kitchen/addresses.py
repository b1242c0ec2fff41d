"""A location's address book: its customers' houses and everything about them that is written in events."""

from __future__ import annotations

import json
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from casper_ray.sim.kitchen.places import Location
from casper_ray.sim.kitchen.routes import (
    MOST_POINTS,
    Pings,
    Routes,
    build_pings,
    build_routes,
    crossings_on_way,
)
from casper_ray.sim.kitchen.streams import Purpose, stream
from casper_ray.sim.kitchen.streets import Streets, build_streets, haversine_miles
from casper_ray.sim.text import degrees, joined

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

HOUSES = 2_500
REACH_MILES = 4.0
MEAN_DRIVE_MINUTES = 8.17
"""Mean of the drives as ordered: gives the canonical number of pings, about 6.7 an order."""

# fmt: off
_NAMES = (
    "Alder", "Bramble", "Cinder", "Dapple", "Elmhurst", "Fernley", "Garnet", "Hazel", "Inkwell", "Jasper",
    "Kestrel", "Larkspur", "Millrace", "Nettle", "Orchard", "Pebble", "Quarry", "Rushes", "Saddler",
    "Thistle", "Umber", "Verdant", "Willow", "Yarrow", "Zephyr", "Anvil", "Beacon", "Cooper", "Drover",
    "Ember", "Fuller", "Granary", "Hopfield", "Ironside", "Juniper", "Kiln", "Lantern", "Mason", "Needle",
    "Oakum", "Potter", "Quill",
)
# fmt: on


@dataclass(frozen=True, slots=True, kw_only=True)
class AddressBook:
    """Houses of one location. Arrays and columns have one entry a house, except those of the pings.

    chances     cumulative chance that an order comes from one of the houses so far; ends at 1
    created     the order_created body up to the list of items
    route       the driver_picked_up body
    delivered   the delivered body
    ping_start  where a house's pings stand in `pings`; one entry more than there are houses
    pings       driver_ping bodies
    """

    chances: Floats
    drive_ms: Ints
    created: pl.Series
    route: pl.Series
    delivered: pl.Series
    ping_start: Ints
    pings: pl.Series

    def estimated_bytes(self) -> int:
        columns = (self.created, self.route, self.delivered, self.pings)
        return int(sum(column.estimated_size() for column in columns)) + 32 * len(self.drive_ms)


def build_address_book(location: Location, seed: int) -> AddressBook:
    """The address book of `location`: the same for the same seed and location, wherever it is built."""
    streets = build_streets(location.lat, location.lon, stream(seed, Purpose.STREETS, location.id))
    rng = stream(seed, Purpose.ADDRESSES, location.id)
    ahead, lat_u, lon_u = _houses(streets, rng)
    routes = build_routes(streets, streets.before[ahead], lat_u, lon_u)
    weights = rng.lognormal(0.0, 0.9, len(ahead))
    chances = np.cumsum(_tilted(weights, routes.drive_ms / 60_000))
    lat, lon = degrees(lat_u), degrees(lon_u)
    pings = build_pings(routes)
    return AddressBook(
        chances=chances / chances[-1],
        drive_ms=routes.drive_ms,
        created=_created_bodies(lat, lon, _addresses(location, streets, ahead, rng)),
        route=_route_bodies(routes),
        delivered=_bodies(['{"delivered_lat":', lat, ',"delivered_lon":', lon, "}"]),
        ping_start=pings.start,
        pings=_ping_bodies(pings),
    )


def _houses(streets: Streets, rng: np.random.Generator) -> tuple[Ints, Ints, Ints]:
    """The crossing ahead of each house, and the house's place on the block that leads there."""
    points = crossings_on_way(streets) + 1
    miles = haversine_miles(streets.lat_u[:1], streets.lon_u[:1], streets.lat_u, streets.lon_u)
    near = np.flatnonzero((points <= MOST_POINTS) & (points > 2) & (miles < REACH_MILES - 0.05))
    ahead = rng.choice(near, HOUSES, p=miles[near] / miles[near].sum())  # homes are out of the centre
    behind = streets.before[ahead]
    part = rng.uniform(0.15, 0.85, HOUSES)
    lat = streets.lat_u[behind] + part * (streets.lat_u[ahead] - streets.lat_u[behind])
    lon = streets.lon_u[behind] + part * (streets.lon_u[ahead] - streets.lon_u[behind])
    return ahead, np.rint(lat).astype(np.int64), np.rint(lon).astype(np.int64)


def _tilted(weights: Floats, minutes: Floats) -> Floats:
    """Weights tilted towards or away from far houses so that the mean drive is MEAN_DRIVE_MINUTES."""
    low, high = -2.0, 2.0
    for _ in range(50):
        tilt = (low + high) / 2
        tilted: Floats = weights * np.exp(tilt * (minutes - MEAN_DRIVE_MINUTES))
        if np.average(minutes, weights=tilted) > MEAN_DRIVE_MINUTES:
            high = tilt
        else:
            low = tilt
    return tilted


def _addresses(location: Location, streets: Streets, ahead: Ints, rng: np.random.Generator) -> list[str]:
    """Address lines as JSON strings: rows are streets, columns avenues."""
    names = [_NAMES[n] for n in rng.permutation(len(_NAMES))]
    behind = streets.before[ahead]
    eastward = streets.row[ahead] == streets.row[behind]
    lane = np.where(eastward, streets.row[ahead], streets.column[ahead])
    block = np.where(eastward, streets.column[ahead], streets.row[ahead])
    number = (np.abs(block) + 1) * 100 + rng.integers(1, 100, len(ahead))
    city = json.dumps(f", {location.name}")[1:]
    kind = np.where(eastward, "St", "Ave")
    side = np.where(block < 0, np.where(eastward, "W ", "S "), "")
    return [
        f'"{n} {s}{names[k % len(names)]}{" Upper" if k >= len(names) else ""} {t}{city}'
        for n, s, k, t in zip(
            number.tolist(), side.tolist(), (lane + 42).tolist(), kind.tolist(), strict=True
        )
    ]


def _bodies(parts: list[str | pl.Series]) -> pl.Series:
    """The parts of each row, one after the other."""
    columns = [pl.lit(part) if isinstance(part, str) else pl.lit(part.alias("")) for part in parts]
    return pl.select(pl.concat_str(columns).alias("body")).to_series()


def _created_bodies(lat: pl.Series, lon: pl.Series, addresses: list[str]) -> pl.Series:
    head: list[str | pl.Series] = ['{"customer_lat":', lat, ',"customer_lon":', lon, ',"customer_addr":']
    return _bodies([*head, pl.Series(addresses), ',"items":['])


def _route_bodies(routes: Routes) -> pl.Series:
    points = _bodies(["[", degrees(routes.lat_u), ",", degrees(routes.lon_u), "]"])
    return _bodies(['{"route_points":[', joined(points, routes.start), "]}"])


def _ping_bodies(pings: Pings) -> pl.Series:
    progress = pl.Series([f"{t // 10}.{t % 10}" for t in range(1001)]).gather(pings.tenths)
    lat, lon = degrees(pings.lat_u), degrees(pings.lon_u)
    return _bodies(['{"progress_pct":', progress, ',"loc_lat":', lat, ',"loc_lon":', lon, "}"])
