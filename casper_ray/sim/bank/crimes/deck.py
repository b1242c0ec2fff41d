"""Which cases a world has, when they begin, and the rows of one of them."""

from __future__ import annotations

import difflib
from typing import NamedTuple

import numpy as np

from casper_ray.errors import ConfigError
from casper_ray.sim.bank.crimes.all import NAMES, PATTERNS, code_of
from casper_ray.sim.bank.crimes.cast import Cast
from casper_ray.sim.bank.estate import Estate
from casper_ray.sim.bank.rows import NONE, Rows
from casper_ray.sim.bank.scenario import BankScenario
from casper_ray.sim.bank.streams import Floats, Ints, Purpose, stream

_CRIMES, _WAVES = 0, 1
_BUSY = 1 / 3
_SAMPLES = 64


class Case(NamedTuple):
    """One case: its number, the index of its typology, whether it is the benign twin, and its first day."""

    number: int
    pattern: int
    twin: bool
    begin_day: int


def deal(seed: int, scenario: BankScenario, days: int, expected_transactions: float) -> tuple[Case, ...]:
    """The cases of a world, by first day, then number.

    Rules:  the crimes' expected transactions come to `prevalence` of the expected ones, shared out by weight and
            the scenario's factor; if that allows it, there is a case at least of every typology whose factor
            is not 0. A world with any crime has one case at least. Waves come on top and change no other
            case; `twins` benign cases are dealt for each case of a crime.
    Raises: ConfigError if the scenario names a typology that there is not.
    """
    factors = _factors(scenario)
    rng = stream(seed, Purpose.DECK, _CRIMES)
    spans = np.array([pattern.span_days for pattern in PATTERNS])
    latest = np.maximum(days - spans // 2, min(days, 3))  # so that most of a case lies within the world
    rows = _rows_within(days, spans, latest)
    counts = _counts(rng, factors, rows, scenario.prevalence * expected_transactions)
    patterns = rng.permutation(np.repeat(np.arange(len(PATTERNS)), counts))
    twins = _twins(rng, patterns, scenario.twins)
    cases = [
        *_begun(rng, 0, patterns, False, latest),
        *_begun(rng, len(patterns), twins, True, latest),
    ]
    for place, wave in enumerate(scenario.waves):
        rng = stream(seed, Purpose.DECK, _WAVES, place)
        more = np.full(wave.cases, _index(wave.typology, "waves"))
        for kinds, twin in ((more, False), (_twins(rng, more, scenario.twins), True)):
            begins = rng.integers(wave.days[0], wave.days[1] + 1, len(kinds))
            cases += _cases(len(cases), kinds, twin, begins)
    return tuple(
        sorted((case for case in cases if case.begin_day < days), key=lambda c: (c.begin_day, c.number))
    )


def case_rows(seed: int, case: Case, *, customers: int, days: int, estate: Estate) -> Rows:
    """All rows of a case before day `days`, by day and time. Pure: always the same.

    Rules: `case` is set, and `typology` or `twin`; of honest people's rows in a case neither. `number` is 0,
           and `base_cents` too: rates are the world's.
    """
    cast = Cast(seed, case.number, case.begin_day, customers=customers, estate=estate)
    pattern = PATTERNS[case.pattern]
    rows = (pattern.twin if case.twin else pattern.crime)(cast)
    guilty = rows["typology"] != NONE
    rows["typology"] = 0
    rows["twin" if case.twin else "typology"][guilty] = code_of(case.pattern)
    rows["case"] = case.number
    rows = rows[rows["day"] < days]
    return rows[np.lexsort((rows["ms"], rows["day"]))]


def _factors(scenario: BankScenario) -> Floats:
    """Share of cases of each typology, before they are made to fit."""
    weights = np.array([pattern.weight for pattern in PATTERNS])
    for name, factor in scenario.typologies.items():
        if factor < 0:
            raise ConfigError(f"scenario: typologies: {name}: a factor below 0, saw {factor}")
        weights[_index(name, "typologies")] *= factor
    return weights


def _rows_within(days: int, spans: Ints, latest: Ints) -> Floats:
    """Expected transactions of a case of each typology before the world's last day.

    A case is taken to be spread evenly over the first third of its longest time, which comes out right.
    """
    begins = np.linspace(0, latest, _SAMPLES, endpoint=False)
    told = np.clip((days - np.floor(begins)) / (_BUSY * spans), 0.0, 1.0).mean(axis=0)
    rows: Floats = told * np.array([pattern.rows_expected for pattern in PATTERNS])
    return rows


def _counts(rng: np.random.Generator, weights: Floats, rows: Floats, transactions: float) -> Ints:
    """Cases of each typology whose expected transactions, `rows` each, come to as many.

    Expected numbers of cases are rounded together, from a random start, so that their sum stays right.
    """
    if transactions <= 0 or not weights.any():
        return np.zeros(len(PATTERNS), dtype=np.int64)
    expected = weights * transactions / (weights @ rows)
    dealt = weights > 0
    if transactions >= rows[dealt].sum():
        expected = _at_least_one(weights, rows, transactions)
    edges = np.concatenate([[0.0], np.cumsum(expected)]) + rng.random()
    counts = np.diff(np.floor(edges)).astype(np.int64)
    if not counts.any():
        counts[rng.choice(len(PATTERNS), p=weights / weights.sum())] = 1
    return counts


def _at_least_one(weights: Floats, rows: Floats, transactions: float) -> Floats:
    """One case of each typology that is dealt, or as many as its weight asks for of what the others leave."""
    single = np.zeros(len(rows), dtype=np.bool_)
    while True:
        rest = (transactions - rows[single & (weights > 0)].sum()) / ((weights * ~single) @ rows or 1.0)
        expected: Floats = np.where(single, weights > 0, weights * rest)
        short = ~single & (weights > 0) & (expected < 1)
        if not short.any():
            return expected
        single |= short


def _twins(rng: np.random.Generator, patterns: Ints, each: float) -> Ints:
    """The typologies of so many twins for each case; what is left of a whole number by chance."""
    times = np.floor(each + rng.random(len(patterns))).astype(np.int64)
    return np.repeat(patterns, times)


def _begun(rng: np.random.Generator, first: int, patterns: Ints, twin: bool, latest: Ints) -> list[Case]:
    """Cases spread over the days: of n cases of a typology one begins in each n-th of the time there is.

    Else a world of ninety days, with three or four cases of each, would often have all of them at one end, and who
    learns from its first months would not have met what comes in its last.
    """
    places = np.arange(len(patterns))
    order = np.argsort(patterns, kind="stable")
    counts = np.bincount(patterns, minlength=len(PATTERNS))
    rank = np.empty(len(patterns), dtype=np.int64)
    rank[order] = places - (np.cumsum(counts) - counts)[patterns[order]]
    share = (rank + rng.random(len(patterns))) / counts[patterns]
    return _cases(first, patterns, twin, (share * latest[patterns]).astype(np.int64))


def _cases(first: int, patterns: Ints, twin: bool, begins: Ints) -> list[Case]:
    rows = zip(patterns.tolist(), begins.tolist(), strict=True)
    return [Case(first + place, pattern, twin, day) for place, (pattern, day) in enumerate(rows)]


def _index(name: str, where: str) -> int:
    if name in NAMES:
        return NAMES.index(name)
    close = difflib.get_close_matches(name, NAMES, n=1)
    hint = f"did you mean {close[0]!r}? " if close else ""
    raise ConfigError(f"scenario: {where}: unknown typology {name!r}", f"{hint}known are {', '.join(NAMES)}")
