"""Names against a list of names: how alike they are, however they are spelled, ordered or written."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from typing import Final, NamedTuple

import numpy as np
import polars as pl
from numpy.typing import NDArray
from polars.datatypes import DataTypeClass
from rapidfuzz.distance import JaroWinkler
from rapidfuzz.process import cdist

from casper_ray.agents.bank.sanctions_script import LATIN

_AT_ONCE = 4_096
_PARTS_AT_ONCE = 8_192
_WORST = 0.6
"""Weight of the less alike of two parts of a name: one part alone makes no person."""
_INITIAL = 0.87
"""A given name that is only an initial agrees with a name that begins so, but proves less than a name."""
_APOSTROPHES: Final = "'\u2019\u2018\u02bc`\u00b4"
_HYPHENS: Final = "-\u2010\u2011\u2012\u2013\u2014\u2212"
_ALIKE: dict[str, pl.DataType | DataTypeClass] = {
    "name": pl.String,
    "entry_id": pl.String,
    "score": pl.Float64,
    "initials": pl.String,
}
ALIKE: Final = pl.Schema(_ALIKE)
"""Of a name: the entry that is most like it, how much (0 to 1), and the entry's initials. No name of the list."""


class Listed(NamedTuple):
    """A name of an entry, the entry's own or an alias. given, family: places in `SanctionsList.parts`."""

    entry: int
    given: int
    family: int


def name_parts(name: str) -> tuple[str, ...]:
    """A name's parts in lower-case Latin letters: accents, marks, digits and scripts gone; any other sign parts them,
    but apostrophes and hyphens do not.
    """
    return _parts(name, closed=_APOSTROPHES + _HYPHENS)


def all_parts(name: str) -> tuple[str, ...]:
    """`name_parts`, and what they are where hyphens do part them: a hyphen for a space hides no name."""
    return tuple(dict.fromkeys((*name_parts(name), *_parts(name, closed=_APOSTROPHES))))


def _parts(name: str, *, closed: str) -> tuple[str, ...]:
    plain = "".join(LATIN.get(char, char) for char in unicodedata.normalize("NFKC", name).casefold())
    letters = []
    for char in unicodedata.normalize("NFKD", plain):
        kind = unicodedata.category(char)
        if kind[0] == "L":
            letters.append(char)
        elif char.isspace() or (kind[0] in "PSZ" and char not in closed):
            letters.append(" ")
    return tuple("".join(letters).split())


class SanctionsList:
    """The list, ready to be compared with.

    entries: entry_id, name, aliases (list of names). Names of more than two parts are taken as their first and last.
    """

    def __init__(self, entries: pl.DataFrame) -> None:
        self.ids: list[str] = entries["entry_id"].to_list()
        self.initials: list[str] = []
        places: dict[str, int] = {}
        listed: set[Listed] = set()
        for entry, (name, aliases) in enumerate(entries.select("name", "aliases").iter_rows()):
            parts = name_parts(name)
            self.initials.append("".join(f"{part[0].upper()}." for part in parts))
            for spelling in (name, *(aliases or ())):
                words = name_parts(spelling)
                if len(words) > 1:
                    first, last = (places.setdefault(word, len(places)) for word in (words[0], words[-1]))
                    listed.add(Listed(entry, first, last))
        self.parts = list(places)
        ordered = sorted(listed)
        self._entry = np.array([name.entry for name in ordered], np.int64)
        self._given = np.array([name.given for name in ordered], np.int64)
        self._family = np.array([name.family for name in ordered], np.int64)

    def most_alike(self, names: pl.Series) -> pl.DataFrame:
        """`ALIKE`, one row per different name, sorted by name; score 0 and no entry where it has no two parts."""
        distinct = names.drop_nulls().unique().sort()
        frames = [self._some(distinct.slice(first, _AT_ONCE)) for first in range(0, distinct.len(), _AT_ONCE)]
        return pl.concat(frames) if frames else pl.DataFrame(schema=ALIKE)

    def _some(self, names: pl.Series) -> pl.DataFrame:
        split = [all_parts(name) for name in names.to_list()]
        words = sorted({word for parts in split for word in parts})
        alike = self._parts_alike(words)
        place = {word: number for number, word in enumerate(words)}
        best = np.zeros(len(split), np.float64)
        which = np.full(len(split), -1, np.int64)
        for count in {len(parts) for parts in split if len(parts) > 1 and len(self._entry)}:
            every = np.array([row for row, parts in enumerate(split) if len(parts) == count], np.int64)
            for rows in np.array_split(every, -(-len(every) * count // _PARTS_AT_ONCE)):
                tokens = np.array([[place[word] for word in split[row]] for row in rows.tolist()], np.int64)
                scores = self._scores(alike[tokens])
                at = scores.argmax(axis=1)
                best[rows], which[rows] = scores[np.arange(len(rows)), at], self._entry[at]
        return self._told(names, best, which)

    def _parts_alike(self, words: Sequence[str]) -> NDArray[np.float32]:
        """How alike each word and each part of the list are: Jaro-Winkler; of an initial, whether the word has it."""
        if not words or not self.parts:
            return np.zeros((len(words), len(self.parts)), np.float32)
        alike: NDArray[np.float32] = np.array(
            cdist(words, self.parts, scorer=JaroWinkler.normalized_similarity, dtype=np.float32)
        )
        initials = [number for number, part in enumerate(self.parts) if len(part) == 1]
        for row, word in enumerate(words):
            if len(word) == 1:
                alike[row] = [_INITIAL if part[0] == word else 0.0 for part in self.parts]
        for column in initials:  # a full name is held against the entry's full name, not against its initial
            alike[:, column] = [_INITIAL if word == self.parts[column] else 0.0 for word in words]
        return alike

    def _scores(self, alike: NDArray[np.float32]) -> NDArray[np.float32]:
        """Of names of equally many parts, given how alike each of their parts is, against every listed name: the best
        two parts in any order.

        The score rises with both, so that it is among the best and the second best for each.
        """
        first = alike.argmax(axis=1)
        best = np.take_along_axis(alike, first[:, None], axis=1)[:, 0]
        rest = alike.copy()
        np.put_along_axis(rest, first[:, None], -1.0, axis=1)
        second = rest.max(axis=1)
        given, family = self._given, self._family
        apart = _score(best[:, given], best[:, family])
        crossed = np.maximum(
            _score(best[:, given], second[:, family]), _score(second[:, given], best[:, family])
        )
        return np.where(first[:, given] == first[:, family], crossed, apart)

    def _told(self, names: pl.Series, best: NDArray[np.float64], which: NDArray[np.int64]) -> pl.DataFrame:
        entries = which.tolist()
        return pl.DataFrame(
            {
                "name": names,
                "entry_id": [self.ids[entry] if entry >= 0 else None for entry in entries],
                "score": np.clip(best, 0.0, 1.0).round(4),
                "initials": [self.initials[entry] if entry >= 0 else None for entry in entries],
            },
            schema=ALIKE,
        )


def _score(given: NDArray[np.float32], family: NDArray[np.float32]) -> NDArray[np.float32]:
    mean = np.add(given, family, dtype=np.float32) / np.float32(2)
    score: NDArray[np.float32] = np.asarray(
        _WORST * np.minimum(given, family) + (1 - _WORST) * mean, np.float32
    )
    return score
