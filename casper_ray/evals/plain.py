"""What of an answer may leave the lake: numbers, instants, and words of a closed list. No text, no places."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from pydantic import BaseModel

WITHHELD: Final = "(withheld)"
_NUMBERS = {"integer", "number", "boolean"}
_PLACES = ("lat", "lon", "latitude", "longitude", "birth_year", "age")
"""Numbers that tell of a person where or how old."""


def plain(model: type[BaseModel], values: Mapping[str, Any]) -> dict[str, Any]:
    """The values by field; whatever the model does not declare as harmless is withheld, nulls stay.

    Rules: declared numbers, money, instants, booleans and enumerations are kept. A field of text could hold a name,
           an address or a customer's own words, in any agent yet to be written: it is never kept, nor are lists.
    """
    fields = model.model_json_schema()["properties"]
    return {
        name: value if value is None or _harmless(name, fields.get(name, {})) else WITHHELD
        for name, value in values.items()
    }


def _harmless(name: str, schema: Mapping[str, Any]) -> bool:
    return name not in _PLACES and any(_closed(kind) for kind in _kinds(schema))


def _kinds(schema: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    yield from schema.get("anyOf", (schema,))


def _closed(kind: Mapping[str, Any]) -> bool:
    return kind.get("type") in _NUMBERS or kind.get("format") == "date-time" or "enum" in kind
