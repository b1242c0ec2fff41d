"""The corpus: every attack of the grammar, the same ones every time."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping, Sequence
from typing import Final, NamedTuple

from casper_ray.agents.attacks.grammar import (
    Families,
    Family,
    Words,
    dressed,
    filled,
    load_families,
    load_words,
)
from casper_ray.spec import Spec

NOBODYS: Final = ("Q7ZK2M", "B40XW9", "7HT5RD", "M1N8VE", "ZC63PU")
"""Orders that attacks name where nobody tells them of real ones."""
_ACCOUNTS = ("acct_9f3c7e21", "acct_b60d14aa", "DE44 5001 0517 5407 3249 31")
_HUGE = "A" * 5_000
_NESTED = "[" * 1_900
_TRIES = 200


class Attack(NamedTuple):
    """One attack. attack_id: `FAMILY/CHANNEL/NUMBER`, whatever it is aimed at. victim: whose id it may name."""

    attack_id: str
    family: str
    channel: str
    victim: str
    text: str


def attacks(victims: Sequence[str] = NOBODYS, wording: str = "kitchen") -> list[Attack]:
    """Every attack, in the order of their ids' making; the texts name `victims` in turn, in the words of `wording`.

    Rules: no two texts of a family are the same.
    """
    families, words = load_families(), load_words()
    fixed = {**_lists_of(words), **_lists_of(words.wordings[wording])}
    return [
        attack
        for name, family in families.families.items()
        for attack in _of_family(name, family, families, words, fixed, victims)
    ]


def _lists_of(spec: Spec) -> dict[str, Sequence[str]]:
    return {name: value for name, value in spec if not isinstance(value, Mapping)}


def _of_family(
    name: str,
    family: Family,
    families: Families,
    words: Words,
    fixed: Mapping[str, Sequence[str]],
    victims: Sequence[str],
) -> Iterator[Attack]:
    seen: set[str] = set()
    for first, channel in enumerate(families.channels):
        for number in range(families.per_channel):
            attack_id = f"{name}/{channel}/{number:02d}"
            chance = random.Random(attack_id)
            victim = victims[chance.randrange(1_000_000) % len(victims)]
            turn = first * families.per_channel + number
            lists = {**fixed, **_lists(words.natural[channel], victim, chance)}
            text = _text(family, turn, lists, seen, chance)
            seen.add(text)
            yield Attack(attack_id, name, channel, victim, text)


def _text(
    family: Family, turn: int, lists: Mapping[str, Sequence[str]], seen: set[str], chance: random.Random
) -> str:
    """One that is not among those seen; every sentence and every dress has its turn."""
    sentence = family.sentences[turn % len(family.sentences)]
    dress = family.dress[turn % len(family.dress)]
    for _ in range(_TRIES):
        text = dressed(filled(sentence, lists, chance), dress, chance)
        if text not in seen:
            return text
        sentence = f"{{natural}} {chance.choice(family.sentences)} {{tail}}"
    raise AssertionError("the grammar is too small for so many attacks")


def _lists(natural: Sequence[str], victim: str, chance: random.Random) -> dict[str, Sequence[str]]:
    """Of one attack."""
    return {
        "natural": natural,
        "tail": [f"{natural[0]} ({chance.randrange(1_000)})" for _ in range(9)],
        "victim": [victim],
        "account": _ACCOUNTS,
        "huge": [_HUGE],
        "nested": [_NESTED],
        "mark": [f"{chance.randrange(16**16):016x}"],
    }
