"""How complaints are worded: a grammar of three languages, read from configs/kitchen/complaints.yml."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from random import Random
from typing import Annotated, Final, TypeVar

from pydantic import Field

from casper_ray.config_files import checked, configs_dir, load_mapping
from casper_ray.spec import Spec

DELAY, MISSING, FOOD = "delivery_delay", "missing_items", "food_quality"
SERVICE, BILLING, OTHER = "service_issue", "billing", "other"
THREATS: Final = ("legal", "health", "fraud", "abuse")

Share = Annotated[float, Field(ge=0, le=1)]
Phrases = Annotated[tuple[str, ...], Field(min_length=1)]
Thing = TypeVar("Thing")


class Language(Spec):
    """Phrases of one language, by what they are for. share: of the customers who write it."""

    share: Share
    and_: str = Field(alias="and")
    openings: Phrases
    mentions: Phrases
    joins: Phrases
    closings: Phrases
    delivery_delay: Phrases
    missing_items: Phrases
    food_minor: Phrases
    food_major: Phrases
    service_issue: Phrases
    billing: Phrases
    vague: Phrases
    praise: Phrases
    question: Phrases
    legal: Phrases
    health: Phrases
    fraud: Phrases
    abuse: Phrases
    injection: Phrases

    def phrases(self, what: str) -> tuple[str, ...]:
        found: tuple[str, ...] = getattr(self, what)
        return found


class Grammar(Spec):
    """The file, checked. rate: of delivered orders; the other shares are of complaints, or as the file says."""

    rate: Share
    categories: dict[str, Share]
    others: dict[str, Share]
    lateness_pull: Share
    exaggerated: Share
    untrue: Share
    linked: Share
    mentioned: Share
    wrong_id: Share
    several: Share
    threat: Share
    injection: Share
    least_deliveries: int = Field(ge=1)
    languages: dict[str, Language]


@cache
def load_grammar() -> Grammar:
    """The shipped grammar. Raises: ConfigError."""
    path = configs_dir() / "kitchen" / "complaints.yml"
    return checked(Grammar, load_mapping(path), str(path))


@dataclass(frozen=True, slots=True)
class Chance:
    """One complaint's own random choices. Only `Random.random` is used, which no version of Python changes."""

    source: Random

    def under(self, share: float) -> bool:
        return self.source.random() < share

    def between(self, low: float, high: float) -> float:
        return low + (high - low) * self.source.random()

    def one_of(self, things: Sequence[Thing]) -> Thing:
        return things[int(self.source.random() * len(things))]

    def by_share(self, shares: dict[str, float]) -> str:
        left = self.source.random() * sum(shares.values())
        for name, share in shares.items():
            left -= share
            if left < 0:
                return name
        return name
