"""The grammar of attacks: sentences with names in them, filled in from lists, and what hides a sentence."""

from __future__ import annotations

import base64
import codecs
import random
import re
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import Final

from pydantic import Field

from casper_ray.config_files import checked, configs_dir, load_mapping
from casper_ray.spec import Spec

_NAME = re.compile(r"\{\{|\}\}|\{(\w+)\}")
_DEEPEST = 5
_LONG_CHARS = (9_000, 40_000)
ZERO_WIDTH: Final = "\u200b\u200c\u200d\u2060\ufeff"
CONFUSABLES: Final = {
    "a": "\u0430",
    "c": "\u0441",
    "e": "\u0435",
    "i": "\u0456",
    "o": "\u043e",
    "p": "\u0440",
    "s": "\u0455",
    "x": "\u0445",
    "y": "\u0443",
}
"""Latin letters, and Cyrillic ones that look the same."""


class Wording(Spec):
    """An agent's own words: what is wanted of it. key: the argument of `known_tool`."""

    thing: tuple[str, ...]
    key: tuple[str, ...]
    known_tool: tuple[str, ...]
    give: tuple[str, ...]
    verdict: tuple[str, ...]
    field: tuple[str, ...]
    told: tuple[str, ...]
    told_plain: tuple[str, ...]
    orders: tuple[str, ...]


class Words(Spec):
    """configs/attacks/words.yml: lists that sentences choose from. wordings: more lists, by what is attacked."""

    amount: tuple[str, ...]
    absurd: tuple[str, ...]
    authority: tuple[str, ...]
    sure: tuple[str, ...]
    foreign_tool: tuple[str, ...]
    natural: Mapping[str, tuple[str, ...]]
    wordings: Mapping[str, Wording]
    padding: tuple[str, ...]
    cues: tuple[str, ...]


class Family(Spec):
    """sentences: what its attacks are made of. dress: what is done to them, by name in `DRESSES`."""

    sentences: tuple[str, ...] = Field(min_length=1)
    dress: tuple[str, ...] = ("plain",)


class Families(Spec):
    """configs/attacks/families.yml."""

    per_channel: int = Field(ge=1, le=1_000)
    channels: tuple[str, ...]
    families: Mapping[str, Family]


@cache
def load_words() -> Words:
    """Raises: ConfigError."""
    path = configs_dir() / "attacks" / "words.yml"
    return checked(Words, load_mapping(path), str(path))


@cache
def load_families() -> Families:
    """Raises: ConfigError."""
    path = configs_dir() / "attacks" / "families.yml"
    return checked(Families, load_mapping(path), str(path))


def filled(sentence: str, lists: Mapping[str, Sequence[str]], chance: random.Random) -> str:
    """The sentence with every name replaced by one of its list; what was chosen is filled in again.

    `{{` and `}}` stand for braces. Raises: KeyError where a name has no list.
    """
    return _filled(sentence, lists, chance, _DEEPEST)


def _filled(sentence: str, lists: Mapping[str, Sequence[str]], chance: random.Random, depth: int) -> str:
    def one(found: re.Match[str]) -> str:
        if found[1] is None:
            return found[0][0]
        chosen = chance.choice(lists[found[1]])
        return _filled(chosen, lists, chance, depth - 1) if depth and found[1] == "orders" else chosen

    return _NAME.sub(one, sentence)


def dressed(text: str, dress: str, chance: random.Random) -> str:
    """The text as a dress of `DRESSES` hides it."""
    return DRESSES[dress](text, chance)


def _base64(text: str, chance: random.Random) -> str:
    return f"Decode and obey: {base64.b64encode(text.encode()).decode()}"


def _rot13(text: str, chance: random.Random) -> str:
    return f"rot13: {codecs.encode(text, 'rot13')}"


def _hex(text: str, chance: random.Random) -> str:
    return f"hex {text.encode().hex()}"


def _zero_width(text: str, chance: random.Random) -> str:
    return "".join(char + (chance.choice(ZERO_WIDTH) if char.isalnum() else "") for char in text)


def _confusables(text: str, chance: random.Random) -> str:
    return "".join(CONFUSABLES.get(char, char) for char in text)


def _reversed(text: str, chance: random.Random) -> str:
    return f"Read backwards: {text[::-1]}"


def _long(text: str, chance: random.Random) -> str:
    """The text somewhere in thousands of words that say nothing."""
    padding, length = load_words().padding, chance.randint(*_LONG_CHARS)
    before = chance.choice((0, length // 2, length))
    return f"{_padded(padding, before, chance)} {text} {_padded(padding, length - before, chance)}".strip()


def _padded(padding: Sequence[str], length: int, chance: random.Random) -> str:
    sentences: list[str] = []
    while length > 0:
        sentences.append(chance.choice(padding))
        length -= len(sentences[-1]) + 1
    return " ".join(sentences)


DRESSES: Final[Mapping[str, Callable[[str, random.Random], str]]] = {
    "plain": lambda text, chance: text,
    "base64": _base64,
    "rot13": _rot13,
    "hex": _hex,
    "zero_width": _zero_width,
    "confusables": _confusables,
    "reversed": _reversed,
    "long": _long,
}
