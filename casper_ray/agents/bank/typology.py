"""Which crime a group of alerts looks like, by rules over what tools tell of its gravest alert."""

from __future__ import annotations

from typing import Final

import polars as pl

from casper_ray.agents.bank.alert_policy import APPROVE, BLOCK, ESCALATE, HOLD
from casper_ray.agents.bank.fraud_policy import FraudPolicy
from casper_ray.domain.bank import CHARGEBACK, DEPOSIT, PURCHASE, TRANSFER_OUT, WITHDRAWAL

NONE: Final = "none"
_ACTIONS: Final = {
    ESCALATE: (
        "fan_in",
        "fan_out",
        "cycle",
        "scatter_gather",
        "gather_scatter",
        "bipartite",
        "stack",
        "structuring",
        "smurfing",
        "layering",
        "funnel_account",
        "round_trip",
    ),
    BLOCK: (
        "mule_network",
        "account_takeover",
        "card_testing",
        "stolen_card",
        "compromised_merchant",
        "bust_out",
        "sanctions_evasion",
    ),
    HOLD: ("app_scam", "first_party_fraud"),
}
RIGHT_ACTION: Final = {name: action for action, names in _ACTIONS.items() for name in names} | {NONE: APPROVE}
"""What is right to do about each typology; docs/reference/bank-typologies.md says what they are."""
_MINUTES = 60


def typologies(rows: pl.DataFrame, settings: FraudPolicy) -> pl.Series:
    """The first typology whose signs are there, the most telling first; else `none`.

    rows: of `fraud_policy.columns`. Rings of many accounts (bipartite, stack, scatter_gather, smurfing) cannot be
          told from one account's day: they come out as what the account's part of them looks like.
    """
    found = pl.coalesce(
        pl.when(holds.fill_null(False)).then(pl.lit(name)) for name, holds in _signs(settings).items()
    ).fill_null(NONE)
    return rows.select(found.alias("typology")).to_series()


def _signs(settings: FraudPolicy) -> dict[str, pl.Expr]:
    kind, amount = pl.col("transaction_type"), pl.col("amount_base")
    purchase, paying, online = kind == PURCHASE, kind == TRANSFER_OUT, pl.col("channel") == "online"
    lately = pl.col("new_device") | (pl.col("enrolled_min") < settings.enrolled_lately_h * _MINUTES)
    shared = pl.col("accounts") >= settings.shared_accounts
    many = settings.many_parties_7d
    payees, payers = pl.col("payees_7d") >= many, pl.col("payers_7d") >= many
    passed_on = pl.col("passed_on").is_between(*settings.passed_on) & (pl.col("payers_7d") > 0)
    spree = pl.col("out_count_1h") >= settings.many_payments_1h
    return {
        "structuring": (kind == DEPOSIT) & _flagged("CASH_BELOW_REPORTING"),
        "card_testing": purchase & online & (amount < settings.tiny_eur) & shared,
        "mule_network": paying & shared & pl.col("new_payee"),
        "account_takeover": paying & lately & pl.col("payees_7d").gt(0),
        "bust_out": purchase
        & (pl.col("card_type") == "credit")
        & (pl.col("out_count_24h") >= settings.many_on_credit_24h),
        "compromised_merchant": purchase & online & pl.col("new_device"),
        "stolen_card": (purchase | (kind == WITHDRAWAL)) & spree,
        "first_party_fraud": kind == CHARGEBACK,
        "sanctions_evasion": paying & _flagged("SCREENING_HIT"),
        "gather_scatter": payees & payers,
        "fan_in": payers,
        "fan_out": payees,
        "round_trip": paying & (pl.col("both_ways") > 0),
        "layering": paying & passed_on,
        "app_scam": paying & pl.col("new_payee") & (amount.cast(pl.Float64) > pl.col("own_p99")),
    }


def _flagged(code: str) -> pl.Expr:
    return pl.col("codes").list.contains(code)
