"""The locations a scenario has, all told: the usual ones, those it adds, and replicas of them."""

from __future__ import annotations

from datetime import datetime

from casper_ray.errors import ConfigError
from casper_ray.sim.kitchen.demand import check_orders_fit
from casper_ray.sim.kitchen.menu import Menu
from casper_ray.sim.kitchen.places import Location, load_locations
from casper_ray.sim.scenario import Replicas, Scenario

_STEP_DEGREES = 0.11
_RING = 8  # replicas stand around the first one, then further out


def build_locations(scenario: Scenario, menu: Menu) -> tuple[Location, ...]:
    """The scenario's locations in order of id.

    Raises: ConfigError if two share an id, a brand is unknown, or an incident names an unknown location.
    """
    locations = (*load_locations(), *scenario.locations)
    ids = [location.id for location in locations]
    if repeated := sorted({i for i in ids if ids.count(i) > 1}):
        raise ConfigError(f"scenario {scenario.name}: location ids {repeated} are taken", _taken(ids))
    brands = len(menu.brands)
    for location in locations:
        if unknown := sorted(s.brand for s in location.brands if s.brand > brands):
            raise ConfigError(f"location {location.name!r}: unknown brands {unknown}", f"1 to {brands} exist")
    if scenario.replicas:
        locations = _replicated(locations, scenario.replicas)
    _check_incidents(scenario, {location.id for location in locations})
    return tuple(sorted(locations, key=lambda location: location.id))


def check_demand(locations: tuple[Location, ...], scenario: Scenario, days: int, epoch: datetime) -> None:
    """Raises: ConfigError if a location may get more orders in a day than there are ids for."""
    for location in locations:
        incidents = [incident for incident in scenario.incidents if incident.touches(location.id)]
        check_orders_fit(location, incidents, days, epoch)


def _taken(ids: list[int]) -> str:
    return f"the next free id is {max(ids) + 1}"


def _check_incidents(scenario: Scenario, known: set[int]) -> None:
    for incident in scenario.incidents:
        if unknown := sorted(set(incident.locations) - known):
            raise ConfigError(
                f"scenario {scenario.name}: incident {incident.name!r} names unknown locations {unknown}",
                f"known are {sorted(known)[:20]}",
            )


def _replicated(locations: tuple[Location, ...], replicas: Replicas) -> tuple[Location, ...]:
    """As many locations as asked for: the first ones, then copies of them at other places."""
    first_id = max(location.id for location in locations) + 1
    copies = [
        _copy(locations[n % len(locations)], n // len(locations), first_id + n - len(locations))
        for n in range(len(locations), replicas.locations)
    ]
    sizes = {
        key: value
        for key, value in (("base_orders", replicas.base_orders), ("daily_growth", replicas.daily_growth))
        if value is not None
    }
    wanted = (*locations, *copies)[: replicas.locations]
    return tuple(location.model_copy(update=sizes) for location in wanted)


def _copy(location: Location, number: int, new_id: int) -> Location:
    ring, place = divmod(number - 1, _RING)
    north, east = ((0, 1), (1, 0), (0, -1), (-1, 0), (1, 1), (1, -1), (-1, -1), (-1, 1))[place]
    step = _STEP_DEGREES * (ring % 20 + 1)
    return location.model_copy(
        update={
            "id": new_id,
            "name": f"{location.name} {number + 1}",
            "lat": round(location.lat + north * step, 6),
            "lon": round(location.lon + east * step, 6),
        }
    )
