"""Toolbox and gathering, with a tool of a line: what is asked, allowed, kept."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import polars as pl
import pytest
from pydantic import ValidationError

from casper_ray.agents.case import Case
from casper_ray.agents.tools import OTHER_CASE, Arguments, Result, Tool, Toolbox, gathered


class Word(Arguments):
    word: str


class Length(Result):
    length: int | None


def lengths(store: Any, asked: pl.DataFrame) -> pl.DataFrame:
    store.append(asked.height)
    return asked.select(pl.lit(True).alias("found"), pl.col("word").str.len_chars().alias("length"))


def own(store: Any, cases: pl.DataFrame) -> pl.DataFrame:
    return cases.select(pl.col("subject").alias("word"))


def told(**changed: Any) -> Tool:
    fixed = {"name": "length", "description": "How long.", "arguments": Word, "result": Length}
    return Tool(**{**fixed, "answer": lengths, "own": own, **changed})


CASE = Case(case_id="c", kind="k", at=datetime(2024, 1, 1, tzinfo=UTC), subject="word", text="ünï 🥟")


def test_nothing_is_read_for_a_refused_call() -> None:
    reads: list[int] = []
    box = Toolbox(reads, CASE, [told()])
    assert box.call("length", {"word": "other"}).refused == OTHER_CASE
    assert not reads
    assert box.call("length").result == {"found": True, "length": 4}
    assert reads == [1]
    assert [call.refused for call in box.calls] == [OTHER_CASE, None]


def test_a_tool_may_allow_more_than_its_own() -> None:
    allows = lambda store, case, arguments: arguments["word"].startswith(case.subject)  # noqa: E731
    box = Toolbox([], CASE, [told(allows=allows)])
    assert box.call("length", {"word": "wordy"}).result == {"found": True, "length": 5}
    assert box.call("length", {"word": "awkward"}).refused == OTHER_CASE


def test_a_result_that_is_not_as_declared_is_a_bug_and_no_answer() -> None:
    answer = lambda store, asked: asked.select(pl.lit(True).alias("found"), pl.lit("x").alias("length"))  # noqa: E731
    with pytest.raises(ValidationError):
        Toolbox([], CASE, [told(answer=answer)]).call("length")


def test_gathered_keeps_cases_and_their_order() -> None:
    cases = pl.concat([CASE.model_copy(update={"subject": "x" * n}).frame() for n in (3, 1, 2)])
    found = gathered([], [told(), told(name="again")], cases)
    assert found.drop("length", "again").equals(cases)
    for name in ("length", "again"):
        assert found[name].struct.field("length").to_list() == [3, 1, 2]


def test_a_tool_describes_itself() -> None:
    described = told().described()
    assert described["name"] == "length"
    assert described["arguments"]["additionalProperties"] is False
    assert set(described["result"]["properties"]) == {"found", "length"}
