"""Names against a list of names: how alike they are, however they are spelled, ordered or written."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from itertools import permutations
from typing import Final, NamedTuple

import numpy as np
import polars as pl
from numpy.typing import NDArray
from polars.datatypes import DataTypeClass
from rapidfuzz.distance import JaroWinkler
from rapidfuzz.process import cdist

from casper_ray.agents.bank.sanctions_script import LATIN

_MOST_TOKENS = 6
_AT_ONCE = 4_096
_WORST = 0.6
"""Weight of the less alike of two parts of a name: one part alone makes no person."""
_INITIAL = 0.87
"""A given name that is only an initial agrees with a name that begins so, but proves less than a name."""
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
    """A name's parts in lower-case Latin letters: accents, marks and scripts gone, apostrophes and hyphens closed."""
    plain = "".join(LATIN.get(char, char) for char in unicodedata.normalize("NFKC", name).casefold())
    letters = []
    for char in unicodedata.normalize("NFKD", plain):
        kind = unicodedata.category(char)
        if kind[0] == "L":
            letters.append(char)
        elif kind[0] == "Z" or char in ",.;/\t\n":
            letters.append(" ")
    return tuple("".join(letters).split()[:_MOST_TOKENS])


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
        split = [name_parts(name) for name in names.to_list()]
        words = sorted({word for parts in split for word in parts})
        alike = self._parts_alike(words)
        place = {word: number for number, word in enumerate(words)}
        best = np.zeros(len(split), np.float64)
        which = np.full(len(split), -1, np.int64)
        for count in {len(parts) for parts in split if len(parts) > 1 and len(self._entry)}:
            rows = np.array([row for row, parts in enumerate(split) if len(parts) == count], np.int64)
            tokens = np.array([[place[word] for word in split[row]] for row in rows.tolist()], np.int64)
            scores = self._scores(alike, tokens)
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

    def _scores(self, alike: NDArray[np.float32], tokens: NDArray[np.int64]) -> NDArray[np.float64]:
        """Of names of equally many parts against every listed name: the best two parts in any order."""
        best = np.zeros((len(tokens), len(self._entry)), np.float64)
        for first, second in permutations(range(tokens.shape[1]), 2):
            given = alike[tokens[:, first]][:, self._given]
            family = alike[tokens[:, second]][:, self._family]
            worst, mean = np.minimum(given, family), (given + family) / 2
            np.maximum(best, _WORST * worst + (1 - _WORST) * mean, out=best)
        return best

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
