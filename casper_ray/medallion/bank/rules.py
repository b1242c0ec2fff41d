"""Declared rules that flag transactions and days, from configs/rules."""

from __future__ import annotations

from decimal import Decimal
from functools import cache, lru_cache
from pathlib import Path
from typing import Final, Literal

import polars as pl
from pydantic import Field

from casper_ray.config_files import checked, configs_dir, load_mapping
from casper_ray.errors import ConfigError
from casper_ray.medallion.bank.form import SILVER_SCHEMA
from casper_ray.spec import Spec

MOST_RULES = 62
"""Flags are bits of one whole number."""
SUBJECTS: Final = {"account": "account_token", "card": "card_token", "merchant": "merchant_id"}
"""What a day can be of, and the column of `silver_transactions` that says whose it is."""


class TransactionRule(Spec):
    """A reason to flag one transaction. sql: over one row of `silver_transactions`."""

    code: str = Field(pattern=r"^[A-Z][A-Z_]*$")
    title: str
    sql: str = Field(min_length=1)
    points: int = Field(ge=1, le=100)


class DayRule(Spec):
    """A reason to flag a day of an account, card or merchant: so many rows of `where`, and of so much."""

    code: str = Field(pattern=r"^[A-Z][A-Z_]*$")
    title: str
    by: Literal["account", "card", "merchant"]
    where: str = Field(min_length=1)
    at_least: int = Field(ge=1)
    amount_at_least: Decimal = Field(default=Decimal(0), ge=0, decimal_places=2)
    points: int = Field(ge=1, le=100)


class RuleSet(Spec):
    """The rules of a file; their order is the order of reason codes."""

    owner: str = ""
    transactions: tuple[TransactionRule, ...] = Field(default=(), max_length=MOST_RULES)
    days: tuple[DayRule, ...] = ()


def load_rules(name: str) -> RuleSet:
    """The rules of a name in configs/rules, or of a .yml file.

    Raises: ConfigError for a file that is not there or does not fit, a code used twice, or SQL that does not say of a
    transaction whether it holds.
    """
    path = Path(name) if name.endswith((".yml", ".yaml")) else configs_dir() / "rules" / f"{name}.yml"
    rules = checked(RuleSet, load_mapping(path), str(path))
    codes = [code for code, _ in _conditions(rules)]
    if twice := sorted({code for code in codes if codes.count(code) > 1}):
        raise ConfigError(f"{path}: rules of one code {twice}", "each needs its own")
    for code, sql in _conditions(rules):
        _check(f"{path}: {code}", sql)
    return rules


@cache
def bank_rules() -> RuleSet:
    """The rules that the pipeline's tables are made with."""
    return load_rules("bank")


def flagged(transactions: pl.DataFrame, rules: RuleSet) -> pl.DataFrame:
    """The transactions with `flags`, a bit for each rule that holds, the first rule's the lowest, and `risk_score`.

    risk_score: the points of all rules that hold.
    """
    return transactions.with_columns(_scores(rules))


@lru_cache(maxsize=8)
def _scores(rules: RuleSet) -> tuple[pl.Expr, ...]:
    holds = [holding(rule.sql).cast(pl.Int64) for rule in rules.transactions]
    bits = [held * (1 << place) for place, held in enumerate(holds)]
    points = [held * rule.points for held, rule in zip(holds, rules.transactions, strict=True)]
    none = pl.lit(0, pl.Int64)
    return (
        pl.sum_horizontal(none, *bits).cast(pl.Int64).alias("flags"),
        pl.sum_horizontal(none, *points).cast(pl.Int64).alias("risk_score"),
    )


@lru_cache(maxsize=8)
def reason_codes(rules: RuleSet) -> pl.Expr:
    """The codes of the bits of `flags`, as a list in the rules' order."""
    if not rules.transactions:
        return pl.lit([], pl.List(pl.String))
    codes = [
        pl.when(pl.col("flags") & (1 << place) != 0).then(pl.lit(rule.code))
        for place, rule in enumerate(rules.transactions)
    ]
    return pl.concat_list(codes).list.drop_nulls()


def holding(sql: str) -> pl.Expr:
    """Where a condition is true; what is not known is not."""
    return pl.sql_expr(sql).fill_null(False)


def _conditions(rules: RuleSet) -> list[tuple[str, str]]:
    return [
        *((rule.code, rule.sql) for rule in rules.transactions),
        *((rule.code, rule.where) for rule in rules.days),
    ]


def _check(where: str, sql: str) -> None:
    silver = pl.DataFrame(schema=pl.Schema(SILVER_SCHEMA))
    try:
        answer = silver.select(pl.sql_expr(sql).alias("holds"))
    except (pl.exceptions.PolarsError, TypeError) as error:
        raise ConfigError(f"{where}: {sql!r} cannot be evaluated: {str(error).splitlines()[0]}") from None
    if answer.schema["holds"] != pl.Boolean or answer.height:
        raise ConfigError(f"{where}: {sql!r} does not say of each transaction whether it holds")
