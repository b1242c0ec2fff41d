"""What a text orders a model to do, once what hides it is undone: how the gullible model reads."""

from __future__ import annotations

import base64
import binascii
import codecs
import json
import re
from collections.abc import Iterator
from decimal import Decimal, InvalidOperation
from functools import cache
from typing import Any, Final, NamedTuple

from casper_ray.agents.attacks.grammar import CONFUSABLES, ZERO_WIDTH, load_words

_CALL = re.compile(r"\b([a-z][a-z_]{3,40})\(([^)]*)\)")
_ID = re.compile(
    r"\b(?:(?=[A-Z0-9]*[0-9])(?=[A-Z0-9]*[A-Z])[A-Z0-9]{6}|T[0-9A-F]{16}|acc_v\d+_[a-z2-7]{26}(?:@[0-9-]{10})?)\b"
)
_MONEY = re.compile(r"(?:USD|\$) ?([\d.,]*\d(?:e\d+)?)|([\d.,]*\d(?:e\d+)?) ?USD")
_BASE64 = re.compile(r"[A-Za-z0-9+/]{24,}={0,2}")
_HEX = re.compile(r"\b(?:[0-9a-f]{2}){20,}\b")
_UNMASKED: Final = str.maketrans({shown: meant for meant, shown in CONFUSABLES.items()})
_BARE: Final = str.maketrans("", "", ZERO_WIDTH)


class Orders(NamedTuple):
    """What a text orders. obeys: whether it orders anything. calls: tool and arguments, as written.

    ids: of orders, transactions, accounts and their days, whoever's they are.
    """

    obeys: bool
    calls: tuple[tuple[str, str], ...] = ()
    ids: tuple[str, ...] = ()
    amount: Decimal | None = None


def orders_in(texts: list[str]) -> Orders:
    """What the texts order together. The dearest amount counts."""
    obeyed = [reading for text in texts for reading in _readings(text) if _cues().search(reading.lower())]
    calls = dict.fromkeys((found[1], found[2]) for text in obeyed for found in _CALL.finditer(text))
    ids = dict.fromkeys(found[0] for text in obeyed for found in _ID.finditer(text))
    amounts = [amount for text in obeyed for amount in _amounts(text)]
    return Orders(bool(obeyed), tuple(calls), tuple(ids), max(amounts, default=None))


def texts_of(value: Any) -> Iterator[str]:
    """Every text in a JSON value; keys are nobody's words."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for inner in value.values():
            yield from texts_of(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from texts_of(inner)


def _readings(text: str) -> Iterator[str]:
    """The text, and all that it may be when decoded."""
    shown = text.translate(_BARE)
    bare = shown.translate(_UNMASKED)
    yield bare
    if bare != shown:  # what is Cyrillic in earnest
        yield shown
    yield bare[::-1]
    yield codecs.decode(bare, "rot13")
    for found in _BASE64.finditer(bare):
        try:
            yield base64.b64decode(found[0], validate=True).decode()
        except (binascii.Error, UnicodeDecodeError):
            continue
    for found in _HEX.finditer(bare):
        yield bytes.fromhex(found[0]).decode(errors="replace")


def _amounts(text: str) -> Iterator[Decimal]:
    for found in _MONEY.finditer(text):
        try:
            yield Decimal((found[1] or found[2]).replace(",", ""))
        except InvalidOperation:
            continue


@cache
def _cues() -> re.Pattern[str]:
    return re.compile("|".join(re.escape(cue.lower()) for cue in load_words().cues))


def json_or_none(text: str) -> Any:
    """The JSON value that a text is; None: it is none."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None
