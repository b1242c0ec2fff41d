"""Expectations: rules that the rows of a table should pass, in the words that Spark's pipelines made known.

    GOOD = (
        expect_or_fail("has_order", "order_id IS NOT NULL"),
        *expect_all({"cheap": "price < 100", "some": "qty > 0"}, tags=("money",)),
    )

A rule is an SQL boolean expression over one row (polars' dialect). A row passes where it is true; null is not true.
`expect` counts the rows that fail, `expect_or_drop` leaves them out, `expect_or_quarantine` keeps them in
`quarantine` instead, `expect_or_fail` stops the batch.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Literal, Protocol

Action = Literal["warn", "drop", "quarantine", "fail"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Expectation:
    """A rule. name: unique in its table. sql: what should be true of a row. tags, owner: for readers of the log."""

    name: str
    sql: str
    action: Action
    tags: tuple[str, ...] = ()
    owner: str = ""


class _Maker(Protocol):
    def __call__(
        self, name: str, sql: str, *, tags: tuple[str, ...] = (), owner: str = ""
    ) -> Expectation: ...


class _MakerOfAll(Protocol):
    def __call__(
        self, rules: Mapping[str, str], *, tags: tuple[str, ...] = (), owner: str = ""
    ) -> tuple[Expectation, ...]: ...


def _one(action: Action, name: str, sql: str, *, tags: tuple[str, ...] = (), owner: str = "") -> Expectation:
    return Expectation(name=name, sql=sql, action=action, tags=tags, owner=owner)


def _all(
    action: Action, rules: Mapping[str, str], *, tags: tuple[str, ...] = (), owner: str = ""
) -> tuple[Expectation, ...]:
    return tuple(_one(action, name, sql, tags=tags, owner=owner) for name, sql in rules.items())


expect: _Maker = partial(_one, "warn")
expect_or_drop: _Maker = partial(_one, "drop")
expect_or_quarantine: _Maker = partial(_one, "quarantine")
expect_or_fail: _Maker = partial(_one, "fail")

expect_all: _MakerOfAll = partial(_all, "warn")
expect_all_or_drop: _MakerOfAll = partial(_all, "drop")
expect_all_or_quarantine: _MakerOfAll = partial(_all, "quarantine")
expect_all_or_fail: _MakerOfAll = partial(_all, "fail")
