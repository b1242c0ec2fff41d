"""The reference tells of every column that is asked and answered, and of its type."""

from __future__ import annotations

import re
from dataclasses import fields
from pathlib import Path

import polars as pl

from casper_ray.agents.features.answers import FEATURE_SCHEMA, Features
from casper_ray.agents.features.cases import CASE_SCHEMA, Case
from casper_ray.agents.features.places import PLACES_DAYS

PAGE = (Path(__file__).parents[3] / "docs" / "reference" / "bank-features.md").read_text()
WORDS = {
    pl.Int64: "long",
    pl.Float64: "double",
    pl.Boolean: "boolean",
    pl.String: "string",
    pl.Decimal: "money",
    pl.Datetime: "timestamp, with a time zone",
}


def told(section: str) -> dict[str, str]:
    """Type by column, of the section's table."""
    _, _, text = PAGE.partition(f"## {section}\n")
    rows = re.findall(r"^\| (`.+?) \| (.+?) \|", text.split("\n## ")[0], re.MULTILINE)
    return {name: kind for names, kind in rows for name in re.findall(r"`(\w+)`", names)}


def test_each_feature_is_told_of_in_order() -> None:
    wanted = {name: WORDS[dtype.base_type()] for name, dtype in FEATURE_SCHEMA.items() if name != "case_id"}
    assert told("Features") == wanted
    assert [field.name for field in fields(Features)] == FEATURE_SCHEMA.names()


def test_each_column_of_a_case_is_told_of() -> None:
    assert told("A case") == {name: WORDS[dtype.base_type()] for name, dtype in CASE_SCHEMA.items()}
    assert {field.name for field in fields(Case)} == set(CASE_SCHEMA)


def test_the_days_of_places_are_told() -> None:
    assert f"those {PLACES_DAYS} days' places" in PAGE
