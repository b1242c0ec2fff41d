"""The rows that cases of crimes and of their benign twins add to a day."""

from __future__ import annotations

from collections import defaultdict
from functools import cache

import numpy as np

from casper_ray.sim.bank.crimes.all import PATTERNS
from casper_ray.sim.bank.crimes.deck import Case, case_rows
from casper_ray.sim.bank.estate import Estate
from casper_ray.sim.bank.follow_ups import Disputes
from casper_ray.sim.bank.habits import device_on
from casper_ray.sim.bank.people import DEVICES_EACH, people, strange_devices
from casper_ray.sim.bank.rates import in_base
from casper_ray.sim.bank.rows import NONE, Channel, Kind, Rows, together
from casper_ray.sim.bank.streams import Ints
from casper_ray.sim.bank.transfers import Reason
from casper_ray.sim.cache import BoundedCache

_LONGEST = max(pattern.span_days for pattern in PATTERNS) + 7
"""A case's rows are looked for on so many days from its first on; spans are kept generously."""
_MB = 1_000_000


@cache
def disputes() -> Disputes:
    """How often purchases of each typology and of each twin are disputed."""
    return Disputes(
        crime=np.array([0.0, *(pattern.disputed for pattern in PATTERNS)]),
        twin=np.array([0.0, *(pattern.twin_disputed for pattern in PATTERNS)]),
    )


class CaseBook:
    """The cases of one world. Their rows are made when their first day is asked for, and kept within bounds."""

    def __init__(self, seed: int, customers: int, days: int, estate: Estate, deck: tuple[Case, ...]) -> None:
        self._seed, self._customers, self._days, self._estate = seed, customers, days, estate
        self.deck = deck
        self._begun: dict[int, list[Case]] = defaultdict(list)
        for case in deck:
            self._begun[case.begin_day].append(case)
        self._rows: BoundedCache[Rows] = BoundedCache(60 * _MB, lambda rows: int(rows.nbytes) + 200)
        self._enrolments: Rows | None = None

    def rows_on(self, day: int, rates: Ints) -> Rows:
        """The rows of all cases on a day, sorted by (customer, ms), complete but for their numbers."""
        parts = [self._cut(begin, day) for begin in self._begun if day - _LONGEST < begin <= day]
        rows = together(parts)
        rows = rows[np.lexsort((rows["case"], rows["ms"], rows["customer"]))]
        return self._completed(rows, day, rates)

    def enrolments(self) -> Rows:
        """The devices that cases enrol, sorted by (customer, day, ms)."""
        if self._enrolments is None:
            found = together([self._begun_on(begin) for begin in sorted(self._begun)])
            found = found[found["kind"] == Kind.ENROLMENT]
            found["device"] = strange_devices(found["device"])
            self._enrolments = found[np.lexsort((found["ms"], found["day"], found["customer"]))]
        return self._enrolments

    def _cut(self, begin: int, day: int) -> Rows:
        rows = self._begun_on(begin)
        start, end = np.searchsorted(rows["day"], [day, day + 1])
        return rows[start:end]

    def _begun_on(self, day: int) -> Rows:
        return self._rows.get(day, lambda: self._made(day))

    def _made(self, day: int) -> Rows:
        rows = together(
            [
                case_rows(self._seed, case, customers=self._customers, days=self._days, estate=self._estate)
                for case in self._begun[day]
            ]
        )
        return rows[np.argsort(rows["day"], kind="stable")]

    def _completed(self, rows: Rows, day: int, rates: Ints) -> Rows:
        """Amounts in the base currency, places of terminals, devices of the day, and what transfers are for."""
        rows["base_cents"] = in_base(rows["cents"], rows["currency"].astype(np.int64), rates)
        estate, who = self._estate, people(self._seed, rows["customer"].astype(np.int64))
        shop = (rows["merchant"] != NONE) & (rows["channel"] != Channel.ONLINE)
        machine = rows["atm"] != NONE
        for name in ("lat", "lon"):
            rows[name][shop] = getattr(estate, f"merchant_{name}")[rows["merchant"][shop]]
            rows[name][machine] = getattr(estate, f"atm_{name}")[rows["atm"][machine]]
        own = (rows["device"] >= who.device) & (rows["device"] < who.device + DEVICES_EACH)
        strange = np.where(rows["device"] == NONE, NONE, strange_devices(rows["device"]))
        rows["device"] = np.where(own, device_on(self._seed, who, day), strange)
        plain = np.isin(rows["kind"], (Kind.TRANSFER_IN, Kind.TRANSFER_OUT)) & (rows["purpose"] == 0)
        rows["purpose"][plain] = Reason.PRIVATE
        return rows
