"""One case, decided now: found among those that batches brought, never made up."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import polars as pl

from casper_ray.agents.case import Case, no_cases
from casper_ray.agents.ledger import Ledger
from casper_ray.agents.stream.log import DecisionLog
from casper_ray.agents.stream.past import paid_before
from casper_ray.agents.stream.runner import Setting, lease_name
from casper_ray.agents.stream.switch import Switch
from casper_ray.agents.tools import Toolbox
from casper_ray.errors import LakeError, UserError
from casper_ray.lakehouse.lease import catalog_lease


class NoCaseError(UserError):
    """A subject that there is no case of: unknown, or nothing to decide on yet."""


class NotYetError(NoCaseError):
    """A subject that is there, with nothing to decide on yet."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Decided:
    """decision: a row of `DECISIONS`. evidence: what each gathered tool told. committed: whether the table has it."""

    decision: dict[str, Any]
    evidence: dict[str, dict[str, Any] | None]
    committed: bool


def decide_one(setting: Setting, subject: str, *, commit: bool, location: int | None = None) -> Decided:
    """The decision on the case of a subject, such as an order.

    location: the only one that whoever asks may ask of.
    Rules:  as of the case's own instant, so it is the decision that the stream made or will make, given the same
            payments. With `commit` it is kept, once: the stream then passes the case over.
    Raises: NoCaseError; LeaseHeldError where it is to be committed while the agent's runner lives.
    """
    store: Any = setting.agent.open_store(setting.catalog, None)
    case = _case_of(setting, store, subject, location)
    if not commit:
        ledger = paid_before(setting, setting.decider().version, case["case_id"][0])
        row = _judged(setting, store, case, ledger)
        return Decided(
            decision=row.row(0, named=True), evidence=_evidence(setting, store, case), committed=False
        )
    with catalog_lease(setting.catalog, lease_name(setting.agent.name)):
        return _committed(setting, store, case)


def find_case(setting: Setting, store: Any, subject: str) -> pl.DataFrame:
    """The case of a subject as a table of one row, or none."""
    cases = setting.agent.cases(store, -1, store.batch)
    return cases.filter((pl.col("subject") == subject) | (pl.col("case_id") == subject)).head(1)


def _case_of(setting: Setting, store: Any, subject: str, location: int | None) -> pl.DataFrame:
    found = find_case(setting, store, subject)
    status = _status(setting, store, subject, found)
    if location is not None and status.get("location_id") not in (None, location):
        # The same words as for an order that there is not: who may not see it is not told that it is there.
        raise _unknown(setting, subject)
    if not found.is_empty():
        return found
    raise _not_there(setting, subject, status)


def no_case(setting: Setting, store: Any, subject: str) -> NoCaseError:
    """Why there is no case of a subject: what the agent's first tool tells of it, as of now."""
    return _not_there(setting, subject, _status(setting, store, subject, no_cases()))


def _not_there(setting: Setting, subject: str, status: dict[str, Any]) -> NoCaseError:
    if status.get("found"):
        state = status.get("status", "not done")
        return NotYetError(
            f"{setting.agent.kind} {subject!r}: nothing to decide on yet (it is {state})",
            "ask again once its batch is in",
        )
    return _unknown(setting, subject)


def _status(setting: Setting, store: Any, subject: str, found: pl.DataFrame) -> dict[str, Any]:
    """What the agent's first tool tells of the subject, as of the case, or as of now."""
    if found.is_empty() and store.sim_instant is None:
        return {}
    case = (
        Case(case_id=subject, kind=setting.agent.kind, at=store.sim_instant, subject=subject)
        if found.is_empty()
        else Case.of(found.row(0, named=True))
    )
    return Toolbox(store, case, setting.agent.tools).call(setting.agent.tools[0].name).result or {}


def _unknown(setting: Setting, subject: str) -> NoCaseError:
    return NoCaseError(
        f"{setting.agent.kind} {subject!r}: there is none in catalog {setting.catalog.name}",
        f"in lake {setting.catalog.lake}; ids are as tables have them",
    )


def _judged(setting: Setting, store: Any, case: pl.DataFrame, ledger: Ledger) -> pl.DataFrame:
    off = Switch(setting.catalog, setting.agent.name).off
    return setting.decider(ledger).decide(store, case, sim_now=store.sim_instant, off=off)


def _committed(setting: Setting, store: Any, case: pl.DataFrame) -> Decided:
    log = DecisionLog(setting.catalog, setting.agent.name, setting.decider().version)
    if log.decided(case["case_id"]).len():
        raise LakeError(
            f"case {case['case_id'][0]}: was decided before by this version of {setting.agent.name}",
            "`casper decision show` shows it; a case is decided once",
        )
    made: list[pl.DataFrame] = []

    def judge(ledger: Ledger) -> pl.DataFrame:
        made[:] = [_judged(setting, store, case, ledger)]
        return made[0]

    log.append_single(judge)
    return Decided(
        decision=made[0].row(0, named=True), evidence=_evidence(setting, store, case), committed=True
    )


def _evidence(setting: Setting, store: Any, case: pl.DataFrame) -> dict[str, dict[str, Any] | None]:
    toolbox = Toolbox(store, Case.of(case.row(0, named=True)), setting.agent.gathered_tools)
    return {name: toolbox.call(name).result for name in setting.agent.gathers}
