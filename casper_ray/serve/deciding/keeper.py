"""The keeper: the one process that decides for a catalog's served agents, and keeps what is decided."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from typing import Final, NamedTuple, TypeVar

from casper_ray.agents.decision import DECISIONS
from casper_ray.agents.stream.log import DecisionsTable
from casper_ray.agents.stream.runner import Setting, lease_name
from casper_ray.errors import CasperError, LeaseHeldError
from casper_ray.failpoints import reach
from casper_ray.lakehouse.lease import current_holder
from casper_ray.lakehouse.names import Catalog
from casper_ray.lakehouse.open_table import OpenTable
from casper_ray.lakehouse.upkeep import Upkeep
from casper_ray.serve.access.principal import Action
from casper_ray.serve.audit import AuditEvent, read_keys
from casper_ray.serve.audit_journal import AuditLog
from casper_ray.serve.deciding.book import Book
from casper_ray.serve.deciding.gathering import Gathering
from casper_ray.serve.deciding.group import Answer, Group
from casper_ray.serve.deciding.kept_keys import KEPT, KeptKey, KeptKeys
from casper_ray.serve.deciding.past_decisions import PastDecisions
from casper_ray.serve.deciding.settling import Settled, Settling
from casper_ray.serve.door.errors import DoorError
from casper_ray.serve.door.services import Made
from casper_ray.serve.operations.instruments import AUDIT, CASES

T = TypeVar("T")
_TRY_LEASE_EVERY_S: Final = 1.0
_GROUPS_AT_ONCE: Final = 256
_HANGS_S: Final = 60.0
_FILE_EVERY_S: Final = 0.5
_TEND_EVERY: Final = 64
"""Commits from one look after small files to the next."""
_LOG: Final = logging.getLogger(__name__)

_NO_AUDIT: Final = DoorError(
    503, "the audit log cannot be written", "an operator has to look at it", {"Retry-After": "10"}
)


class _Round(NamedTuple):
    """One group of a round that is committed. remembered: done when the round's new decisions can be looked up."""

    settled: list[Settled]
    remembered: Future[None]


class Keeper:
    """One a catalog. It holds the leases of the agents it decides for, as long as it lives.

    Groups that come while one is committed are committed together, in one thread; their audit events go to a journal
    in another, so that one group's events are written while the next is judged. A request is answered when both are
    durable. The journal's events are brought to their table by a third, many in one commit.
    """

    def __init__(self, catalog: Catalog, served: Mapping[str, Setting]) -> None:
        self._catalog, self._served = catalog, served
        self._table = DecisionsTable(catalog, tended=False)
        self._tended = 0
        self._audit = AuditLog(catalog)
        self._past = PastDecisions(self._table.path)
        self._settling = Settling(self._table, KeptKeys(_kept(catalog)))
        self._books: dict[str, Book] = {}
        self._next_try_s = dict.fromkeys(served, 0.0)
        self._deciding, self._writing, self._filing, self._reading = (
            ThreadPoolExecutor(1, name) for name in ("decide", "audit", "file", "past")
        )
        self._later: asyncio.Task[None] | None = None
        self._groups: Gathering[Group, _Round] = Gathering(self._settle, at_once=_GROUPS_AT_ONCE)
        self._events: Gathering[Sequence[AuditEvent], None] = Gathering(self._write, at_once=_GROUPS_AT_ONCE)
        for agent in served:
            self._open(agent)

    async def keep(self, group: Group) -> list[Answer]:
        """One answer a request, in their order; decisions and their events are durable. Retry: safe."""
        if (held := await self._held(group.agent)) is not None:
            return [held] * len(group.asked)
        if self._audit.owes and (failing := await self._cannot_write()) is not None:
            return [failing] * len(group.asked)
        settled, remembered = await self._groups.submit(group)
        await asyncio.wrap_future(remembered)
        wanted = {each.decision_id for each in settled if each.decision_id}
        found = await self._in(self._reading, lambda: self._past.found(wanted))
        answers = [_answer(each, found) for each in settled]
        pairs = zip(settled, answers, strict=True)
        await self._events.submit([_event(each, made) for each, made in pairs if isinstance(made, Made)])
        CASES.replayed(group.agent, sum(made.replayed for made in answers if isinstance(made, Made)))
        return answers

    async def note(self, events: Sequence[AuditEvent]) -> None:
        """Keep events of requests that were refused; durable when this returns."""
        await self._events.submit(events)

    async def file_events(self) -> None:
        """Bring to their table all events that were kept so far. Raises: OSError, CommitConflictError."""
        await self._in(self._writing, self._audit.turn)
        await self._in(self._filing, self._audit.file)

    def _tend(self) -> None:
        """Put small files of decisions together, by a handle of its own: commits go on beside it."""
        if self._table.commits - self._tended >= _TEND_EVERY:
            self._tended = self._table.commits
            Upkeep([OpenTable(self._table.path, DECISIONS)]).after(0)

    async def ready(self) -> bool:
        """Whether every agent's lease is held."""
        held = [await self._held(agent) for agent in self._served]
        return all(refusal is None for refusal in held)

    def check_health(self) -> None:
        """Raises: RuntimeError where one commit has been under way for far too long."""
        for what, gathering in (("decisions", self._groups), ("audit events", self._events)):
            if gathering.oldest_s > _HANGS_S:
                raise RuntimeError(f"a commit of {what} has been under way for {gathering.oldest_s:.0f} s")

    def close(self) -> None:
        """Give the leases back."""
        for threads in (self._deciding, self._writing, self._filing, self._reading):
            threads.shutdown()
        self._audit.close()
        for book in self._books.values():
            book.close()

    async def _settle(self, groups: list[Group]) -> list[_Round]:
        settled, rows = await self._in(self._deciding, lambda: self._settling.settle(groups, self._books))
        remembered = self._reading.submit(self._past.add, rows)
        return [_Round(each, remembered) for each in settled]

    async def _write(self, events: list[Sequence[AuditEvent]]) -> list[None]:
        together = [event for some in events for event in some]
        began_s = time.perf_counter()
        try:
            await self._in(self._writing, lambda: self._audit.write(together))
        except Exception:
            AUDIT.events("failed", len(together))
            raise
        AUDIT.written(len(together), time.perf_counter() - began_s)
        reach("serve.after_audit")
        if self._later is None or self._later.done():
            self._later = asyncio.get_running_loop().create_task(self._file_later())
        return [None] * len(events)

    async def _file_later(self) -> None:
        """Every now and then, until the journal is empty; what cannot be filed stays in it for the next time."""
        while self._audit.journaled:
            await asyncio.sleep(_FILE_EVERY_S)
            try:
                await self.file_events()
                await self._in(self._filing, self._tend)
            except (CasperError, OSError) as error:
                _LOG.warning(
                    "audit events stay in their journal, or small files as they are: %s", type(error).__name__
                )

    async def _cannot_write(self) -> DoorError | None:
        """Whether what is owed still cannot be written: nothing is decided then, for nobody could tell who asked."""
        try:
            await self._events.submit([])
        except OSError:
            return _NO_AUDIT
        return None

    async def _held(self, agent: str) -> DoorError | None:
        """None: we decide for the agent; else what to tell of who does. The lease is asked for again now and then."""
        if agent in self._books:
            return None
        if time.monotonic() >= self._next_try_s[agent]:
            self._next_try_s[agent] = time.monotonic() + _TRY_LEASE_EVERY_S
            await asyncio.to_thread(self._open, agent)
        if agent in self._books:
            return None
        holder = current_holder(self._catalog.state / f"{lease_name(agent)}.lease")
        who = holder.command if holder else "another command"
        return DoorError(
            503,
            f"agent {agent}: {who} decides for it now",
            "its decisions are made by that command; ask again when it has ended",
            {"Retry-After": "5"},
        )

    def _open(self, agent: str) -> None:
        with suppress(LeaseHeldError):
            self._books[agent] = Book(self._served[agent], self._table)

    async def _in(self, threads: ThreadPoolExecutor, work: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(threads, work)


def _kept(catalog: Catalog) -> list[tuple[str, KeptKey]]:
    events = read_keys(catalog, since=datetime.now(UTC) - KEPT)
    return [(digest, KeptKey(at, body, decision)) for digest, at, body, decision in events]


def _answer(settled: Settled, found: Mapping[str, Made]) -> Answer:
    if settled.refusal is not None:
        return settled.refusal
    made = found.get(settled.decision_id)
    if made is None:
        return DoorError(404, "the decision is not in the table any more", "use a new Idempotency-Key")
    return replace(made, replayed=not settled.new)


def _event(settled: Settled, made: Made) -> AuditEvent:
    """Of a request that got a decision. The door tells of those that were refused."""
    wanted = settled.asked.wanted
    return AuditEvent(
        at=datetime.now(UTC),
        request_id=wanted.request_id,
        principal=wanted.who.id,
        role=wanted.who.role,
        action=Action.DECIDE,
        route=wanted.route,
        status=200,
        outcome="replayed" if made.replayed else "decided",
        agent=wanted.agent,
        case_id=settled.asked.case_id,
        decision_id=made.decision_id,
        gate=made.gate_action,
        key_digest=wanted.key_digest,
        body_digest=wanted.body_digest,
    )
