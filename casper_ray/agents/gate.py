"""The gate: what becomes of a proposal. Deterministic, and the only place that lets money move.

It knows nothing of models: amounts and limits come from data. What it cannot be sure of goes to a person.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Final, NamedTuple

import polars as pl
from polars.datatypes import DataTypeClass
from pydantic import Field

from casper_ray.agents.gate_columns import unbounded, without_money
from casper_ray.agents.ledger import Ledger, Payment
from casper_ray.spec import Spec

MONEY: Final = pl.Decimal(18, 2)
_ZERO = Decimal("0.00")
_MANY = 512
_FACTS: dict[str, pl.DataType | DataTypeClass] = {
    "case_id": pl.String,
    "at": pl.Datetime("us", "UTC"),
    "outcome": pl.String,
    "asked": MONEY,
    "amount": MONEY,
    "payable": MONEY,
    "pays_for": pl.String,
    "customer": pl.String,
    "confidence": pl.Float64,
    "evidence": pl.List(pl.String),
    "failure": pl.String,
}
FACTS: Final = pl.Schema(_FACTS)
"""What the gate knows of each proposal: one row per case.

outcome:    the proposal's kind, as the rules name it; null: there is no proposal.
asked:      the money the proposal asks for; null: none.
amount:     what data says it comes to, 0 for no money.
payable:    what could be paid at all, such as the order's total; null: not known.
pays_for:   what the money is for, such as the order: payments for one thing add up. customer: whose; a key, no name.
evidence:   tools that had something to tell.
failure:    why there is no proposal, or none that can be trusted.
"""
APPROVED, CLIPPED, QUEUED, REFUSED = "approved", "clipped", "queued", "refused"


class Velocity(Spec):
    """Not more than so many payments to one customer in so many simulated days."""

    payments: int = Field(ge=1)
    days: int = Field(ge=1, le=366)


class GateRules(Spec):
    """The `gate:` part of configs/policies/NAME.yml.

    cap, cap_customer_day: of one decision, and of a customer's simulated day; in the domain's currency.
    needs:                 outcome -> tools that must have had something to tell.
    people:                outcomes that are for a person whatever else holds.
    confidence_at_least:   below it a person decides, and where the confidence is no number from 0 to 1.
    two_people_above:      more than this takes two persons.
    off:                   the kill switch, read with every case: nothing is decided by machine.
    """

    version: str
    cap: Decimal = Field(default=_ZERO, ge=0, decimal_places=2)
    cap_customer_day: Decimal = Field(default=_ZERO, ge=0, decimal_places=2)
    velocity: Velocity | None = None
    needs: Mapping[str, tuple[str, ...]] = Field(default_factory=dict)
    people: tuple[str, ...] = ()
    confidence_at_least: float = Field(default=0.0, ge=0, le=1)
    two_people_above: Decimal | None = Field(default=None, ge=0)
    off: bool = False


class Verdict(NamedTuple):
    """What becomes of a proposal. amount: the money that may move."""

    action: str
    reasons: tuple[str, ...]
    amount: Decimal


_VERDICTS: dict[str, pl.DataType | DataTypeClass] = {
    "gate_action": pl.String,
    "gate_reasons": pl.List(pl.String),
    "amount": MONEY,
}
VERDICTS: Final = pl.Schema(_VERDICTS)


def judged(
    facts: pl.DataFrame, rules: GateRules, ledger: Ledger, *, off: bool = False, many: int = _MANY
) -> pl.DataFrame:
    """The verdict on each proposal, in the order of the rows; payments are added to the ledger as they are approved.

    facts:   `FACTS`, in the order of the cases' instants: an earlier payment counts against a later one.
    off:     the agent's kill switch.
    Returns: one row per row of facts: `VERDICTS`.
    Rules:   without money nothing depends on what came before, so such rows are judged together; so are payments that
             no limit can touch, where there are `many`: they touch no other row's limit either. The others are judged
             one by one, see `verdict`.
    """
    off = off or rules.off
    plain = pl.repeat(False, facts.height, eager=True) if off else without_money(facts, rules)
    free = _free(facts, ~plain, rules, ledger) if not off and (~plain).sum() >= many else plain & False
    rest = ~plain & ~free
    singly = [verdict(fact, rules, ledger, off=off) for fact in facts.filter(rest).iter_rows(named=True)]
    ledger.add_table(facts.filter(free).with_columns(pl.col("at").dt.date().alias("day")))
    made = pl.DataFrame([Verdict(APPROVED, (), _ZERO), *singly], schema=VERDICTS, orient="row")
    # The first row stands for every row that is approved as it is; the others come in their own order.
    place = pl.select(pl.when(rest).then(rest.cast(pl.UInt32).cum_sum()).otherwise(0)).to_series()
    amount = pl.when(free).then(facts["amount"]).otherwise(pl.col("amount")).alias("amount")
    return made.select(pl.all().gather(place)).with_columns(amount)


def _free(facts: pl.DataFrame, paying: pl.Series, rules: GateRules, ledger: Ledger) -> pl.Series:
    """Of the rows that may pay, those that no limit can touch; a mask over all rows."""
    mask = pl.repeat(False, facts.height, eager=True)
    rows = paying.arg_true()
    return mask.scatter(rows.filter(unbounded(facts[rows], rules, ledger)), True)


def verdict(fact: Mapping[str, Any], rules: GateRules, ledger: Ledger, *, off: bool = False) -> Verdict:
    """The verdict on one row of `FACTS`."""
    if stopped := _for_a_person(fact, rules, off):
        return Verdict(QUEUED, tuple(stopped), _ZERO)
    asked, amount = fact["asked"] or _ZERO, fact["amount"]
    if amount is None or amount < 0 or asked < 0:
        return Verdict(REFUSED, ("amount_unusable",), _ZERO)
    if not amount:
        return Verdict(CLIPPED, ("no_money_due",), _ZERO) if asked else Verdict(APPROVED, (), _ZERO)
    return _paid(fact, asked, amount, rules, ledger)


def _for_a_person(fact: Mapping[str, Any], rules: GateRules, off: bool) -> list[str]:
    """Why a person decides; empty: nothing of it."""
    if off:
        return ["kill_switch"]
    if fact["failure"] is not None:
        return [fact["failure"]]
    if fact["outcome"] is None:
        return ["no_proposal"]
    told = fact["evidence"] or ()
    missing = sorted(tool for tool in set(rules.needs.get(fact["outcome"], ())) if tool not in told)
    stopped = [f"evidence_missing:{tool}" for tool in missing]
    if fact["outcome"] in rules.people:
        stopped.append(f"for_people:{fact['outcome']}")
    sure = fact["confidence"]
    if sure is not None and not rules.confidence_at_least <= sure <= 1:  # as written, NaN is not sure
        stopped.append("confidence")
    return stopped


def _paid(
    fact: Mapping[str, Any], asked: Decimal, amount: Decimal, rules: GateRules, ledger: Ledger
) -> Verdict:
    if fact["payable"] is None or fact["pays_for"] is None or fact["customer"] is None:
        return Verdict(REFUSED, ("payable_unknown",), _ZERO)
    if ledger.has(fact["case_id"]):
        return Verdict(REFUSED, ("paid_before",), _ZERO)
    day = fact["at"].date()
    payable = fact["payable"] - ledger.paid_for(fact["pays_for"])
    of_the_day = rules.cap_customer_day - ledger.paid_on(fact["customer"], day)
    limit = max(_ZERO, min(rules.cap, payable, of_the_day))
    reasons = []
    if limit < amount:
        bounds = {"cap": rules.cap, "payable": payable, "cap_customer_day": of_the_day}
        reasons = [name for name, bound in bounds.items() if bound < amount]
    if asked != amount:
        reasons.append("amount_from_data")
    paid = min(amount, limit)
    if not paid:
        return Verdict(REFUSED, tuple(reasons), _ZERO)
    if (
        rules.velocity
        and ledger.payments(fact["customer"], day, rules.velocity.days) >= rules.velocity.payments
    ):
        return Verdict(QUEUED, (*reasons, "velocity"), _ZERO)
    if rules.two_people_above is not None and paid > rules.two_people_above:
        return Verdict(QUEUED, (*reasons, "two_people"), _ZERO)
    ledger.add(Payment(fact["case_id"], fact["pays_for"], fact["customer"], day, paid))
    return Verdict(CLIPPED if paid < max(asked, amount) else APPROVED, tuple(reasons), paid)
