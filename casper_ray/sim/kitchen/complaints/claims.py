"""What a complaint says: claims about an order, true or not, and the words for them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from casper_ray.sim.kitchen.complaints.grammar import (
    BILLING,
    DELAY,
    FOOD,
    MISSING,
    OTHER,
    SERVICE,
    THREATS,
    Chance,
    Grammar,
    Language,
)
from casper_ray.sim.kitchen.menu import Item

TRUE, EXAGGERATED, FALSE = "true", "exaggerated", "false"
PRAISE, QUESTION, VAGUE = "praise", "question", "vague"


class Line(NamedTuple):
    """An item of an order and what all of it cost, in cents."""

    item: Item
    cents: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What the claims are about. late: above the P75 of its location's day; None: too little is known of it."""

    order_id: str
    minutes: float
    late: bool | None
    total_cents: int
    lines: tuple[Line, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """One claim. lines: of the order, those that it says are missing. major: of food. text: its words."""

    category: str
    kind: str
    text: str
    lines: tuple[Line, ...] = ()
    major: bool = False
    strange: bool = False
    """It names an item that was not ordered."""
    topic: str = ""


def claim(
    category: str, order: Order, menu: tuple[Item, ...], words: Language, rules: Grammar, chance: Chance
) -> Claim:
    """A claim of a category about an order."""
    makers = {DELAY: _delay, MISSING: _missing, FOOD: _food}
    if category in makers:
        return makers[category](order, menu, words, rules, chance)
    topic = category if category == SERVICE else chance.by_share(rules.others)
    text = chance.one_of(words.phrases(topic)).format(item=chance.one_of(order.lines).item.name)
    return Claim(category=topic if topic in (SERVICE, BILLING) else OTHER, kind=TRUE, text=text, topic=topic)


def _delay(order: Order, menu: tuple[Item, ...], words: Language, rules: Grammar, chance: Chance) -> Claim:
    """Minutes are told as they were, or stretched; who was served in time stretches them always."""
    if order.late:
        kind = EXAGGERATED if chance.under(rules.exaggerated) else TRUE
    else:
        kind = FALSE
    stretched = {TRUE: 1.0, EXAGGERATED: chance.between(1.5, 2.5), FALSE: chance.between(1.2, 2.2)}[kind]
    text = chance.one_of(words.delivery_delay).format(minutes=round(order.minutes * stretched))
    return Claim(category=DELAY, kind=kind, text=text)


def _missing(order: Order, menu: tuple[Item, ...], words: Language, rules: Grammar, chance: Chance) -> Claim:
    """True: one item or two of the order. False: one that was not ordered. Exaggerated: one of each."""
    kind = _kind(rules, chance)
    first = int(chance.between(0, len(order.lines)))
    lines = order.lines[first : first + (2 if kind == TRUE and chance.under(0.3) else 1)]
    if kind == FALSE:
        lines = ()
    names = [line.item.name for line in lines]
    if kind != TRUE:
        names.append(_strange(order, menu, chance).name)
    text = chance.one_of(words.missing_items).format(item=f" {words.and_} ".join(names))
    return Claim(category=MISSING, kind=kind, text=text, lines=lines, strange=kind != TRUE)


def _food(order: Order, menu: tuple[Item, ...], words: Language, rules: Grammar, chance: Chance) -> Claim:
    """How bad it was is in the words alone: of what is exaggerated or false nobody can tell by them."""
    kind = _kind(rules, chance)
    major = kind == EXAGGERATED or chance.under(0.4)
    phrases = words.food_major if major else words.food_minor
    text = chance.one_of(phrases).format(item=chance.one_of(order.lines).item.name)
    return Claim(category=FOOD, kind=kind, text=text, major=major)


def _kind(rules: Grammar, chance: Chance) -> str:
    if chance.under(rules.untrue):
        return FALSE
    return EXAGGERATED if chance.under(rules.exaggerated) else TRUE


def _strange(order: Order, menu: tuple[Item, ...], chance: Chance) -> Item:
    """An item that was not ordered, nor has its name in that of one that was."""
    ordered = [line.item.name.lower() for line in order.lines]
    while True:
        item = chance.one_of(menu)
        name = item.name.lower()
        if not any(name in other or other in name for other in ordered):
            return item


def threat(words: Language, chance: Chance) -> str:
    """The words of a threat, or of what no machine should answer."""
    return chance.one_of(words.phrases(chance.one_of(THREATS)))
