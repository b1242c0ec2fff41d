"""Which transactions of a day a rule set alerts on."""

from __future__ import annotations

import polars as pl

from casper_ray.medallion.bank.form import SILVER_SCHEMA
from casper_ray.medallion.bank.measures import sides
from casper_ray.medallion.bank.rules import SUBJECTS, RuleSet, flagged, holding

_ID = "transaction_id"
_OF_SIDES = ("internal", "status", "direction", "account_token", "counterparty_token")


def alerted(transactions: pl.DataFrame, rules: RuleSet) -> pl.Series:
    """The transactions that the rules alert on: their ids, each once, in no particular order.

    transactions: rows of `silver_transactions`, all of each day that they are of.
    Rules: a transaction is alerted on where a rule of transactions holds, or where a rule of days counts it and the
           day of its account, card or merchant comes to what that rule asks for.
    """
    found = [flagged(transactions, rules).filter(pl.col("flags") != 0)[_ID]]
    both = sides(transactions)
    for rule in rules.days:
        subject = SUBJECTS[rule.by]
        counted = both.filter(holding(rule.where) & pl.col(subject).is_not_null())
        day = (subject, "txn_day")
        enough = (pl.len().over(day) >= rule.at_least) & (
            pl.col("amount_base").sum().over(day) >= pl.lit(rule.amount_at_least, pl.Decimal(18, 2))
        )
        found.append(counted.filter(enough)[_ID])
    return pl.concat(found).unique()


def columns_of(*rule_sets: RuleSet) -> list[str]:
    """The columns of `silver_transactions` that `alerted` needs, in their order."""
    needed = {_ID, "txn_day", "amount_base", *_OF_SIDES, *SUBJECTS.values()}
    for rules in rule_sets:
        for sql in (*(rule.sql for rule in rules.transactions), *(rule.where for rule in rules.days)):
            needed.update(holding(sql).meta.root_names())
    return [name for name in SILVER_SCHEMA.names if name in needed]
