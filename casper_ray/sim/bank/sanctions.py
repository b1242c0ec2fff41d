"""A list in the manner of a sanctions list: invented entries, how their names get misspelled, and their namesakes."""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import lru_cache
from typing import NamedTuple

import numpy as np
import polars as pl

from casper_ray.sim.bank.books import load_places
from casper_ray.sim.bank.parties import VARIANTS
from casper_ray.sim.bank.streams import Purpose, stream

ENTRIES = 240

_GIVEN = ("Vok", "Dra", "Sker", "Mol", "Bru", "Tarn", "Zev", "Hark")
_GIVEN_END = ("athor", "emir", "ulf", "ivan", "osk", "enna", "irza", "amund")
_FAMILY = ("Dragh", "Skarn", "Volk", "Murz", "Brask", "Tchor", "Yev", "Kral", "Grim", "Oszk")
_FAMILY_MID = ("a", "o", "ee", "u", "y")
_FAMILY_END = ("nikov", "schenk", "madze", "vitch", "holm", "zadeh")
_SOUNDS = (("k", "c"), ("v", "w"), ("y", "i"), ("ee", "i"), ("z", "s"), ("u", "oo"), ("a", "e"), ("o", "u"))
_ACCENTS = str.maketrans({"a": "\u00e1", "o": "\u00f6", "e": "\u00e9", "u": "\u00fc", "i": "\u00ed"})


class Entry(NamedTuple):
    """One entry; `spellings` are its name in all ways, the first as listed."""

    given: str
    family: str
    spellings: tuple[str, ...]
    namesakes: tuple[str, ...]


@lru_cache(maxsize=4)
def entries(seed: int) -> tuple[Entry, ...]:
    """The list of a world: ENTRIES entries, no two of one name."""
    rng = stream(seed, Purpose.SANCTIONS)
    givens = [a + b for a in _GIVEN for b in _GIVEN_END]
    families = [a + b + c for a in _FAMILY for b in _FAMILY_MID for c in _FAMILY_END]
    chosen = rng.permutation(len(families))[:ENTRIES].tolist()
    first = rng.integers(0, len(givens), ENTRIES).tolist()
    return tuple(
        Entry(
            givens[g],
            families[f],
            tuple(_spelling(givens[g], families[f], way) for way in range(VARIANTS)),
            tuple(_namesake(givens, g, families[f], way) for way in range(VARIANTS)),
        )
        for g, f in zip(first, chosen, strict=True)
    )


def sanctions_frame(seed: int, epoch: datetime) -> pl.DataFrame:
    """One row an entry: entry_id, name, aliases (list of string), country, listed_on (date, before day 0)."""
    rng = stream(seed, Purpose.SANCTIONS, 1)
    countries = [country.code for country in load_places().countries if country.code != "QZ"]
    listed = [int(days) for days in rng.integers(30, 3_000, ENTRIES)]
    return pl.DataFrame(
        {
            "entry_id": [f"S{number:05d}" for number in range(ENTRIES)],
            "name": [entry.spellings[0] for entry in entries(seed)],
            "aliases": [[f"{e.family}, {e.given}", f"{e.given[0]}. {e.family}"] for e in entries(seed)],
            "country": [countries[i] for i in rng.integers(0, len(countries), ENTRIES)],
            "listed_on": [(epoch - timedelta(days=days)).date() for days in listed],
        }
    )


def spelled(seed: int, bodies: np.ndarray[tuple[int], np.dtype[np.int64]], namesakes: bool) -> pl.Series:
    """Names of parties that are listed, or are namesakes; `bodies` as of parties.bodies."""
    flat = [name for e in entries(seed) for name in (e.namesakes if namesakes else e.spellings)]
    return pl.Series(flat).gather(bodies % len(flat))


def _spelling(given: str, family: str, way: int) -> str:
    middle = len(family) // 2
    ways = (
        f"{given} {family}",
        f"{given} {family[:middle]}{family[middle + 1 :]}",
        f"{given} {family[:middle]}{family[middle]}{family[middle:]}",
        f"{given} {family[:middle]}{family[middle + 1]}{family[middle]}{family[middle + 2 :]}",
        f"{given} {_by_sound(family)}",
        f"{family.upper()} {given}",
        f"{given[:-1]} {family.translate(_ACCENTS)}",
        f"{_by_sound(given)} {family[:3]}-{family[3:]}",
    )
    return ways[way]


def _namesake(givens: list[str], given: int, family: str, way: int) -> str:
    """A name of someone else: another given name, or a family name that is a letter off."""
    other = givens[(given + 1 + 7 * way) % len(givens)]
    if way < VARIANTS // 2:
        return f"{other} {family}"
    return f"{givens[given][0]}{other[1:]} {_by_sound(family, way)}"


def _by_sound(word: str, first: int = 0) -> str:
    """The word as somebody else would write down its sound: one exchange of letters."""
    for step in range(len(_SOUNDS)):
        old, new = _SOUNDS[(first + step) % len(_SOUNDS)]
        if old in word[1:]:
            return word[0] + word[1:].replace(old, new, 1)
    return word + "e"
