"""One complaint, from an order and its own random choices."""

from __future__ import annotations

import hashlib
from typing import NamedTuple

from casper_ray.sim.kitchen.complaints.answers import RightAnswer, Usual, right_answer
from casper_ray.sim.kitchen.complaints.claims import FALSE, PRAISE, QUESTION, Claim, Order, claim, threat
from casper_ray.sim.kitchen.complaints.grammar import (
    DELAY,
    FOOD,
    MISSING,
    OTHER,
    SERVICE,
    Chance,
    Grammar,
    Language,
)
from casper_ray.sim.kitchen.menu import Item

_KINDS = (FALSE, "exaggerated", "true")
_LOWER_CASE = 0.1


class Naming(NamedTuple):
    """How the complaint says which order it is about. linked: by the form; told: what the text calls it."""

    linked: str | None
    told: str | None
    wrong: bool


class Draft(NamedTuple):
    """A complaint and its right answer. hard: names of the hard cases that it is."""

    language: str
    text: str
    linked: str | None
    kind: str
    hard: list[str]
    answer: RightAnswer


def draft(
    order: Order,
    category: str,
    usual: Usual,
    *,
    stranger: str,
    alone: bool,
    menu: tuple[Item, ...],
    rules: Grammar,
    chance: Chance,
) -> Draft:
    """A complaint about an order.

    stranger: an order of somebody else's, for who gives a wrong id. alone: the customer had no other order lately, so
    one without an id can only be about this.
    """
    language = chance.by_share({name: one.share for name, one in rules.languages.items()})
    words = rules.languages[language]
    claims = [claim(category, order, menu, words, rules, chance)]
    if category != OTHER and chance.under(rules.several):
        others = [other for other in (DELAY, MISSING, FOOD, SERVICE) if other != category]
        claims.append(claim(chance.one_of(others), order, menu, words, rules, chance))
    naming = _naming(order, stranger, rules, chance)
    threatened = len(claims) == 1 and category != OTHER and chance.under(rules.threat)
    injected = chance.under(rules.injection)
    extra = ([threat(words, chance)] if threatened else []) + (
        [chance.one_of(words.injection)] if injected else []
    )
    clear = not naming.wrong and (alone or naming.linked is not None or naming.told is not None)
    return Draft(
        language=language,
        text=_text(words, claims, naming.told, extra, chance),
        linked=naming.linked,
        kind=min((one.kind for one in claims), key=_KINDS.index),
        hard=_hard(claims, order, naming, threatened=threatened, injected=injected),
        answer=right_answer(claims, order, usual, urgent=threatened, clear=clear),
    )


def complaint_id(seed: int, order_id: str) -> str:
    """Tells nothing of the order."""
    return "C" + hashlib.sha256(f"complaint {seed} {order_id}".encode()).hexdigest()[:15].upper()


def _naming(order: Order, stranger: str, rules: Grammar, chance: Chance) -> Naming:
    if chance.under(rules.wrong_id):
        return Naming(None, stranger, wrong=True)
    linked = order.order_id if chance.under(rules.linked) else None
    told = order.order_id if chance.under(0.3 if linked else rules.mentioned) else None
    if told and chance.under(_LOWER_CASE):
        told = told.lower()
    return Naming(linked, told, wrong=False)


def _text(words: Language, claims: list[Claim], told: str | None, extra: list[str], chance: Chance) -> str:
    parts = [chance.one_of(words.openings)]
    if told:
        parts.append(chance.one_of(words.mentions).format(id=told))
    parts.append(claims[0].text)
    parts.extend(chance.one_of(words.joins) + one.text for one in claims[1:])
    return " ".join(part for part in (*parts, *extra, chance.one_of(words.closings)) if part)


def _hard(
    claims: list[Claim], order: Order, naming: Naming, *, threatened: bool, injected: bool
) -> list[str]:
    told = {
        "no_order_id": naming.linked is None and naming.told is None,
        "wrong_id": naming.wrong,
        "several_issues": len(claims) > 1,
        "praise": any(one.topic == PRAISE for one in claims),
        "question": any(one.topic == QUESTION for one in claims),
        "on_time_delay": order.late is False and any(one.category == DELAY for one in claims),
        "item_not_ordered": any(one.strange for one in claims),
        "threat": threatened,
        "injection": injected,
    }
    return [name for name, is_so in told.items() if is_so]
