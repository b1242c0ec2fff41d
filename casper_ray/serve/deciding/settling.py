"""What becomes of groups of requests: which are new, which were answered before, one commit for all that are new."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final

import polars as pl

from casper_ray.agents.decision import decision_id, idempotency_key, in_order
from casper_ray.agents.ledger import Ledger
from casper_ray.agents.stream.log import DecisionsTable
from casper_ray.failpoints import reach
from casper_ray.serve.deciding.book import Book, Judging, Left, Page
from casper_ray.serve.deciding.group import Asked, Group
from casper_ray.serve.deciding.kept_keys import KeptKey, KeptKeys
from casper_ray.serve.door.errors import DoorError
from casper_ray.serve.operations.instruments import CASES
from casper_ray.serve.operations.spans import SPANS

_REPLACED: Final = DoorError(
    503, "this agent's version is being replaced", "ask again in a moment", {"Retry-After": "2"}
)
_KEY_IN_USE: Final = DoorError(
    409, "this Idempotency-Key was used for something else", "use a new key for a new request"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Settled:
    """One request, settled. decision_id: of the decision that is its answer; empty: `refusal` is."""

    asked: Asked
    decision_id: str = ""
    new: bool = False
    refusal: DoorError | None = None


@dataclass(slots=True)
class _Round:
    """What is found out while groups are settled together. keys: used by this round; new: cases, by agent."""

    keys: dict[str, str] = field(default_factory=dict)
    new: dict[str, set[str]] = field(default_factory=dict)


class Settling:
    """Settles groups, round by round. For one thread at a time."""

    def __init__(self, table: DecisionsTable, keys: KeptKeys) -> None:
        self._table, self._keys = table, keys

    def settle(
        self, groups: Sequence[Group], books: Mapping[str, Book]
    ) -> tuple[list[list[Settled]], pl.DataFrame | None]:
        """Each request of each group, in order, and the rows that were committed, if any.

        Retry: safe, also after a crash anywhere: what is in the table is not decided again.
        """
        begun = _Round()
        settled = [self._group(group, books[group.agent].page(group.version), begun) for group in groups]
        rows = None
        if any(begun.new.values()):
            traces = [each.wanted.trace for group in groups for each in group.asked]
            with SPANS.group("commit", ",".join(sorted(begun.new)), traces):
                rows = self._committed(_judgings(groups, books, begun.new), books)
        now = datetime.now(UTC)
        for one in (each for group in settled for each in group):
            if one.asked.wanted.key_digest and one.decision_id:
                wanted = one.asked.wanted
                self._keys.add(wanted.key_digest, KeptKey(now, wanted.body_digest, one.decision_id))
        return settled, rows

    def _group(self, group: Group, page: Page | None, begun: _Round) -> list[Settled]:
        if page is None:
            return [Settled(asked=each, refusal=_REPLACED) for each in group.asked]
        return [self._one(group, each, page, begun) for each in group.asked]

    def _one(self, group: Group, asked: Asked, page: Page, begun: _Round) -> Settled:
        wanted = asked.wanted
        if wanted.key_digest:
            kept = self._keys.get(wanted.key_digest)
            used_for = kept.body_digest if kept else begun.keys.get(wanted.key_digest)
            if used_for not in (None, wanted.body_digest):
                return Settled(asked=asked, refusal=_KEY_IN_USE)
            if kept:
                return Settled(asked=asked, decision_id=kept.decision_id)
        if asked.refusal is not None:
            return Settled(asked=asked, refusal=asked.refusal)
        if wanted.key_digest:
            begun.keys[wanted.key_digest] = wanted.body_digest
        known = decision_id(group.version, idempotency_key(group.agent, asked.case_id))
        new = begun.new.setdefault(group.agent, set())
        if asked.case_id in page.decided or asked.case_id in new:
            return Settled(asked=asked, decision_id=known)
        new.add(asked.case_id)
        return Settled(asked=asked, decision_id=known, new=True)

    def _committed(self, judgings: Sequence[Judging], books: Mapping[str, Book]) -> pl.DataFrame:
        """The rows. Where that fails it may have been done all the same: then nobody believes what was known."""
        try:
            return self._commit(judgings, books)
        except BaseException:
            for each in judgings:
                books[each.page.log.agent].forget()
            self._table.refresh()
            raise

    def _commit(self, judgings: Sequence[Judging], books: Mapping[str, Book]) -> pl.DataFrame:
        """One commit for all of them: rows, and each agent's count of such commits, in one log entry."""
        made: list[pl.DataFrame] = []

        def judge(ledger: Ledger) -> pl.DataFrame:
            made[:] = [each.judged(ledger, off=books[each.page.log.agent].switch.off) for each in judgings]
            return pl.concat(made)

        began_s = time.perf_counter()
        batches = dict(each.page.log.next_single() for each in judgings)
        log, number = judgings[0].page.log, next(iter(batches.values()))
        reach("serve.before_commit")
        stem = f"{log.agent}-{log.version}-single-{number:06d}"
        agents = ",".join(each.page.log.agent for each in judgings)
        if not self._table.append(batches, stem, judge, {"agent": agents, "batch": str(number)}):
            raise RuntimeError(
                f"{self._table.path}: another writer has the lease of {agents}, or ours was lost"
            )
        reach("serve.after_commit")
        took_s = time.perf_counter() - began_s
        for each, rows in zip(judgings, made, strict=True):
            each.page.decided.update(rows["case_id"])
            CASES.staged(each.page.log.agent, "commit", cases=rows.height, seconds=took_s)
            CASES.decided(each.page.log.agent, rows)
        return pl.concat(made)


def _judgings(
    groups: Sequence[Group], books: Mapping[str, Book], new: Mapping[str, set[str]]
) -> list[Judging]:
    """New cases of each agent, each once, in the order in which they are decided."""
    return [
        _judging([group for group in groups if group.agent == agent], books[agent], cases)
        for agent, cases in sorted(new.items())
        if cases
    ]


def _judging(groups: Sequence[Group], book: Book, cases: set[str]) -> Judging:
    ours = [group for group in groups if group.proposed is not None and book.page(group.version)]
    page = book.page(ours[0].version)
    if page is None:
        raise AssertionError("groups of another version have no new cases")
    instants = [group.sim_now for group in ours if group.sim_now is not None]
    left = {batch: versions for group in ours for batch, versions in group.left.items()}
    return Judging(
        page=page,
        proposed=_wanted([group.proposed for group in ours if group.proposed is not None], cases),
        sim_now=max(instants, default=None),
        left=Left(left),
    )


def _wanted(proposed: Sequence[pl.DataFrame], cases: set[str]) -> pl.DataFrame:
    """The proposals on these cases, each once, in the order in which they are decided."""
    if len(proposed) == 1 and proposed[0].height == len(cases):
        return proposed[0]  # as a proposer left it, which is most of the time
    wanted = pl.concat(proposed).filter(pl.col("case_id").is_in(list(cases)))
    return in_order(wanted.unique("case_id", keep="first"))
