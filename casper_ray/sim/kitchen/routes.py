"""The way from the kitchen to each house: the written polyline, its length, the pings on it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from casper_ray.sim.kitchen.streets import EARTH_RADIUS_MILES, Streets

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

LEAST_POINTS, MOST_POINTS = 30, 79
DRIVE_MPH = 25.0
PING_MS = 60_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Routes:
    """Polylines of all houses, one after the other.

    lat_u, lon_u   points, millionths of a degree; a house's points are start[h] .. start[h + 1] - 1
    along          miles up to each point, counted through all routes
    miles          length of each polyline
    drive_ms       time it takes at 25 mph
    """

    lat_u: Ints
    lon_u: Ints
    along: Floats
    start: Ints
    miles: Floats
    drive_ms: Ints


@dataclass(frozen=True, slots=True, kw_only=True)
class Pings:
    """Where a driver is at every full minute of a drive, up to a minute before its end.

    A house's pings are start[h] .. start[h + 1] - 1; `tenths` is the progress in tenths of a percent.
    """

    lat_u: Ints
    lon_u: Ints
    tenths: Ints
    start: Ints


def crossings_on_way(streets: Streets) -> Ints:
    """Number of crossings on the shortest way to each crossing, both ends counted."""
    count = np.zeros(len(streets.before), dtype=np.int64)
    here = np.arange(len(streets.before))
    while (going := here >= 0).any():
        count += going
        here = np.where(going, streets.before[here], -1)
    return count


def build_routes(streets: Streets, behind: Ints, house_lat_u: Ints, house_lon_u: Ints) -> Routes:
    """Routes to houses that stand after the crossing `behind` on a shortest way.

    Rules: all bends are kept; with fewer than 30 points, points on the segments are added.
    """
    points, sizes = _bends(streets, behind)
    lat_u = np.concatenate([streets.lat_u, house_lat_u])[points]
    lon_u = np.concatenate([streets.lon_u, house_lon_u])[points]
    lat_u, lon_u, sizes = _filled(lat_u, lon_u, sizes)
    start = np.concatenate([[0], np.cumsum(sizes)])
    along = np.cumsum(_steps(lat_u, lon_u, start))
    miles = along[start[1:] - 1] - along[start[:-1]]
    drive_ms = np.rint(miles / DRIVE_MPH * 3_600_000).astype(np.int64)
    return Routes(lat_u=lat_u, lon_u=lon_u, along=along, start=start, miles=miles, drive_ms=drive_ms)


def _bends(streets: Streets, behind: Ints) -> tuple[Ints, Ints]:
    """Crossings from the kitchen to each house and the house itself, flat, and how many per house."""
    steps = [np.arange(len(behind)) + len(streets.before)]
    here = behind
    while (here >= 0).any():
        steps.append(here)
        here = np.where(here >= 0, streets.before[here], -1)
    way = np.stack(steps[::-1], axis=1)
    on_way = way >= 0
    return way[on_way], on_way.sum(axis=1)


def _steps(lat_u: Ints, lon_u: Ints, start: Ints) -> Floats:
    """Miles from the point before, by great circles; 0 for the first point of a route."""
    lat, lon = np.radians(lat_u / 1e6), np.radians(lon_u / 1e6)
    shrink = np.cos(lat)
    half = np.sin(np.diff(lat) / 2) ** 2 + shrink[:-1] * shrink[1:] * np.sin(np.diff(lon) / 2) ** 2
    miles = np.zeros(len(lat))
    miles[1:] = 2 * EARTH_RADIUS_MILES * np.arcsin(np.sqrt(half))
    miles[start[:-1]] = 0.0
    return miles


def _filled(lat_u: Ints, lon_u: Ints, sizes: Ints) -> tuple[Ints, Ints, Ints]:
    """The polylines with points added, in proportion to length, so that each has at least 30."""
    start = np.concatenate([[0], np.cumsum(sizes)])
    total = np.cumsum(_steps(lat_u, lon_u, start))
    base, length = total[start[:-1]], total[start[1:] - 1] - total[start[:-1]]
    lacking = np.maximum(LEAST_POINTS - sizes, 0)
    share = (total - np.repeat(base, sizes)) / np.repeat(np.maximum(length, 1e-9), sizes)
    added = np.rint(np.repeat(lacking, sizes) * share).astype(np.int64)
    added = np.diff(added, prepend=0)
    added[start[:-1]] = 0
    end = np.repeat(np.arange(len(lat_u)), added + 1)
    last = np.cumsum(added + 1)[end] - 1
    part = 1.0 - (last - np.arange(len(end))) / (added[end] + 1)
    begin = np.maximum(end - 1, 0)
    along = np.where(added[end] == 0, 1.0, part)
    lat = np.rint(lat_u[begin] + along * (lat_u[end] - lat_u[begin])).astype(np.int64)
    lon = np.rint(lon_u[begin] + along * (lon_u[end] - lon_u[begin])).astype(np.int64)
    return lat, lon, sizes + lacking


def build_pings(routes: Routes) -> Pings:
    """Pings at k x 60 s, k >= 1, while at least 60 s of the drive are left."""
    count = np.maximum(routes.drive_ms // PING_MS - 1, 0)
    start = np.concatenate([[0], np.cumsum(count)])
    house = np.repeat(np.arange(len(count)), count)
    minute = np.arange(len(house)) - start[house] + 1
    share = minute * PING_MS / routes.drive_ms[house]
    total = routes.along
    at = total[routes.start[house]] + share * routes.miles[house]
    right = np.clip(
        np.searchsorted(total, at, side="right"), routes.start[house] + 1, routes.start[house + 1] - 1
    )
    span = np.maximum(total[right] - total[right - 1], 1e-12)
    part = np.clip((at - total[right - 1]) / span, 0.0, 1.0)
    lat = routes.lat_u[right - 1] + part * (routes.lat_u[right] - routes.lat_u[right - 1])
    lon = routes.lon_u[right - 1] + part * (routes.lon_u[right] - routes.lon_u[right - 1])
    return Pings(
        lat_u=np.rint(lat).astype(np.int64),
        lon_u=np.rint(lon).astype(np.int64),
        tenths=np.rint(share * 1000).astype(np.int64),
        start=start,
    )
