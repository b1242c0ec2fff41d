"""How a scenario's shocks move behaviour on a day."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from casper_ray.sim.bank.books import load_categories
from casper_ray.sim.bank.scenario import BankScenario, Shock
from casper_ray.sim.bank.streams import Floats


@dataclass(frozen=True, slots=True, kw_only=True)
class Mood:
    """Factors of one day, all shocks together; `categories` one for each of load_categories()."""

    volume: float
    cash: float
    price: float
    unemployment: float
    online: float
    later_hours: float
    categories: Floats


def mood_on(scenario: BankScenario, day: int) -> Mood:
    """The shocks of a day together: factors multiply, unemployment and hours add."""
    volume, cash, price, online, work, later = 1.0, 1.0, 1.0, 1.0, 1.0, 0.0
    codes = [kind.code for kind in load_categories()]
    categories = np.ones(len(codes))
    for shock in scenario.shocks:
        strength = _strength(shock, day)
        if not strength:
            continue
        volume *= shock.volume**strength
        cash *= shock.cash**strength
        price *= shock.price**strength
        online *= shock.online**strength
        work *= 1 - shock.unemployment * strength
        later += shock.later_hours * strength
        categories *= np.array([shock.categories.get(code, 1.0) for code in codes]) ** strength
    return Mood(
        volume=volume,
        cash=cash,
        price=price,
        unemployment=1 - work,
        online=online,
        later_hours=later,
        categories=categories,
    )


def _strength(shock: Shock, day: int) -> float:
    """0 outside of the shock's days, 1 once it has risen."""
    if not shock.days[0] <= day <= shock.days[1]:
        return 0.0
    return min(1.0, (day - shock.days[0] + 1) / (shock.ramp_days + 1))
