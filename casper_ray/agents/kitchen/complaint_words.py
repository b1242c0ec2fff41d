"""What a complaint's words tell, by lists of words and no more: topics, items that it names, what is urgent."""

from __future__ import annotations

import re
from typing import Final

import polars as pl

from casper_ray.spec import Spec

DELAY, MISSING, FOOD = "delivery_delay", "missing_items", "food_quality"
SERVICE, BILLING, OTHER = "service_issue", "billing", "other"
_SENTENCE: Final = re.compile(r"[^.!?]+[.!?]*|[.!?]+")
CREDITED: Final = (DELAY, MISSING, FOOD)
"""Categories that credits are given for, the one that names the complaint first."""


class Words(Spec):
    """Beginnings of words, in lower case. `$` at the end: whole words. `{n}`: a number."""

    delay: tuple[str, ...]
    missing: tuple[str, ...]
    food_minor: tuple[str, ...]
    food_major: tuple[str, ...]
    service: tuple[str, ...]
    billing: tuple[str, ...]
    no_complaint: tuple[str, ...]
    urgent: tuple[str, ...]

    def pattern(self, what: str) -> str:
        return _pattern(getattr(self, what))


def _pattern(words: tuple[str, ...]) -> str:
    parts = [re.escape(word.removesuffix("$")) + (r"\b" if word.endswith("$") else "") for word in words]
    return r"\b(?:" + "|".join(parts).replace(re.escape("{n}"), "[0-9]+") + ")"


def read_words(evidence: pl.DataFrame, words: Words) -> pl.DataFrame:
    """What each case's text tells.

    Returns: one row per case: urgent; delivery_delay, missing_items, food_quality, service_issue, billing: whether it
             is a topic; major: of the food; no_complaint: praise or a question; claimed: items of the order that it
             names; topics: how many.
    Rules:   names of the order's items are taken out first: nobody complains of "Cold rice noodles" by their name.
             What is urgent is taken out before topics are looked for: "used my card without my knowledge" lacks no
             food.
    """
    items = evidence["get_order_overview"].struct.field("items")
    texts = evidence["text"].fill_null("").str.to_lowercase()
    missing = re.compile(words.pattern("missing"))
    named = [
        _without_items(text, names or [], missing)
        for text, names in zip(texts.to_list(), items.to_list(), strict=True)
    ]
    text = pl.col("text")
    frame = pl.DataFrame(
        {
            "text": pl.Series([rest for rest, _ in named], dtype=pl.String),
            "claimed": pl.Series([claimed for _, claimed in named], dtype=pl.List(pl.String)),
        }
    ).with_columns(
        text.str.contains(words.pattern("urgent")).alias("urgent"),
        text.str.replace_all(words.pattern("urgent"), " "),
    )
    minor, major = (text.str.contains(words.pattern(name)) for name in ("food_minor", "food_major"))
    return frame.select(
        "urgent",
        "claimed",
        text.str.contains(words.pattern("delay")).alias(DELAY),
        text.str.contains(words.pattern("missing")).alias(MISSING),
        (minor | major).alias(FOOD),
        text.str.contains(words.pattern("service")).alias(SERVICE),
        text.str.contains(words.pattern("billing")).alias(BILLING),
        major.alias("major"),
        text.str.contains(words.pattern("no_complaint")).alias("no_complaint"),
    ).with_columns(
        pl.sum_horizontal(pl.col(topic).cast(pl.Int32) for topic in (*CREDITED, SERVICE, BILLING)).alias(
            "topics"
        )
    )


def _without_items(text: str, items: list[str], missing: re.Pattern[str]) -> tuple[str, list[str]]:
    """The text without the names of items, and those that a sentence names which says that something is missing.

    A name within a longer one is not named by it.
    """
    rest: list[str] = []
    claimed: list[str] = []
    longest_first = sorted(items, key=len, reverse=True)
    for sentence in _SENTENCE.findall(text):
        left, named = sentence, []
        for item in longest_first:
            if (name := item.lower()) in left:
                named.append(item)
                left = left.replace(name, " ")
        rest.append(left)
        claimed += [item for item in named if item not in claimed] if missing.search(left) else []
    return "".join(rest), claimed
