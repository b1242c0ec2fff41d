"""Names, streets, phones: invented, put together from syllables, with what makes names hard.

Some carry apostrophes, quotes, umlauts, hyphens or right-to-left marks. No list of real people's names stands behind
them.
"""

from __future__ import annotations

from functools import cache
from itertools import product

import numpy as np
import polars as pl

from casper_ray.sim.bank.streams import Ints, Salt, Words, below, hashed
from casper_ray.sim.text import digits, fixed_width

_GIVEN_HEADS = (
    "Al",
    "Bre",
    "Cal",
    "Dor",
    "El",
    "Fen",
    "Gal",
    "Hes",
    "Il",
    "Jor",
    "Kel",
    "Lu",
    "Mar",
    "Nor",
    "Os",
)
_GIVEN_TAILS = ("wen", "dra", "vin", "mira", "thas", "lo", "quin", "sel", "bet", "nic", "rax", "zia")
_FAMILY_HEADS = (
    "Arl", "Bask", "Corm", "Drev", "Esk", "Farr", "Grel", "Holv", "Ind", "Jask", "Korv", "Lind", "Mell", "Nask",
    "Orv", "Pell", "Quar", "Rusk", "Stell", "Torv", "Ulm", "Vask", "Wend", "Yarl", "Zell",
)  # fmt: skip
_FAMILY_MIDS = ("a", "e", "i", "o", "un", "er", "am")
_FAMILY_TAILS = ("by", "dahl", "ford", "gast", "lund", "mont", "nov", "quist", "rin", "stad", "ter", "witz")
_HARD_GIVEN = (
    "Zo\u00ebra",
    "J\u00fcrva", 'Bram "Boz"', "Anne-Selka", "\u200fNeshra\u200e", "Elv\u00edn", "T'Mira", "\u00d8lwen",
)  # fmt: skip
_HARD_FAMILY = (
    "O'Korval", "D'Quarin", "M\u00fcskandahl", "van der Stelby", "\u00c5skalund", 'Pell "Quick" Torv', "St. Uldric",
    "\u200fZelhadrin\u200e", "\u00dclmford-Esk", "N'Gastera", "L\u0153vmont", "Gr\u00e6nquist",
)  # fmt: skip
_HARD_ONE_IN = 40
_FIRM_KINDS = (
    "Trading", "Works", "Logistics", "Holding", "Supplies", "Energy", "Housing", "Foods", "Media", "Partners & Co.",
)  # fmt: skip
_STREET_HEADS = (
    "Ash",
    "Bell",
    "Copper",
    "Dyer's",
    "Elder",
    "Ferry",
    "Grain",
    "Hollow",
    "Iron",
    "Juniper",
    "Kiln",
)
_STREET_TAILS = ("Lane", "Street", "Rise", "Quay", "Gate", "Row", "Walk", "Square", "Hill", "Close")
_STREET_MIDS = ("", " Mill", " Bridge", " Garden", " Tower", " Market", " Old")


@cache
def given_names() -> pl.Series:
    """The plain given names, then the hard ones."""
    return pl.Series([a + b for a, b in product(_GIVEN_HEADS, _GIVEN_TAILS)] + list(_HARD_GIVEN))


@cache
def family_names() -> pl.Series:
    """The plain family names, then the hard ones."""
    plain = [a + b + c for a, b, c in product(_FAMILY_HEADS, _FAMILY_MIDS, _FAMILY_TAILS)]
    return pl.Series(plain + list(_HARD_FAMILY))


@cache
def _streets() -> pl.Series:
    return pl.Series([a + b + " " + c for a, b, c in product(_STREET_HEADS, _STREET_MIDS, _STREET_TAILS)])


def person_names(seed: int, persons: Ints) -> tuple[pl.Series, pl.Series]:
    """Given and family name of each person, by number."""
    words = hashed(seed, Salt.NAME, persons)
    given = _index(words, len(given_names()) - len(_HARD_GIVEN), len(_HARD_GIVEN))
    family = _index(words >> np.uint64(30), len(family_names()) - len(_HARD_FAMILY), len(_HARD_FAMILY))
    return given_names().gather(given), family_names().gather(family)


def _index(words: Words, plain: int, hard: int) -> Ints:
    """Mostly a plain name, now and then a hard one."""
    usual = (words % np.uint64(plain)).astype(np.int64)
    odd = (words >> np.uint64(16)) % np.uint64(_HARD_ONE_IN) == 0
    return np.where(odd, plain + usual % hard, usual)


def firm_names(seed: int, firms: Ints) -> pl.Series:
    """What firms are called: a family name and what they do."""
    words = hashed(seed, Salt.NAME, firms + (1 << 44))
    family = family_names().gather((words % np.uint64(len(family_names()))).astype(np.int64))
    kind = pl.Series(_FIRM_KINDS).gather(
        ((words >> np.uint64(40)) % np.uint64(len(_FIRM_KINDS))).astype(np.int64)
    )
    return (family + " " + kind).alias("")


def street_addresses(seed: int, customers: Ints, moves: Ints) -> pl.Series:
    """House number and street of a customer who has moved so often."""
    key = customers * 64 + moves
    street = _streets().gather(below(seed, Salt.STREET, key, len(_streets())))
    return (pl.Series(1 + below(seed, Salt.HOUSE, key, 180)).cast(pl.String) + " " + street).alias("")


def phone_numbers(seed: int, customers: Ints) -> pl.Series:
    """+999 (a country code that is given to no country) and nine digits."""
    number = below(seed, Salt.PHONE, customers, 10**9)
    head = np.broadcast_to(np.frombuffer(b"+999 ", dtype=np.uint8), (len(customers), 5))
    parts = [digits(3)[number // 1_000_000], digits(3)[number // 1000 % 1000], digits(3)[number % 1000]]
    return fixed_width(np.concatenate([head, *parts], axis=1))
