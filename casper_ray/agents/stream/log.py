"""The decisions table held open by one agent's runner: its cursor, everybody's payments, and commits."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal

import polars as pl

from casper_ray.agents.decision import DECISIONS, SCHEMA, TABLE
from casper_ray.agents.ledger import Ledger, Payment
from casper_ray.lakehouse.commit import commit_once
from casper_ray.lakehouse.data_file import DataFile, write_data_file
from casper_ray.lakehouse.names import Catalog
from casper_ray.lakehouse.open_table import Change, OpenTable
from casper_ray.lakehouse.read import scan
from casper_ray.lakehouse.upkeep import Upkeep

BEFORE_THE_FIRST = -1
_PAYMENT = ("case_id", "pays_for", "customer", "case_ts", "amount")
_UPKEEP_EVERY = 64

Judge = Callable[[Ledger], pl.DataFrame]
"""Decisions, given what was paid so far; adds its own payments."""


class DecisionsTable:
    """`agents.decisions` held open by one process: everybody's payments, and commits. For one thread at a time.

    tended: whether its upkeep is done with the commits; else whoever holds it sees to it.
    """

    def __init__(self, catalog: Catalog, *, tended: bool = True) -> None:
        self.path = catalog.table(SCHEMA, TABLE)
        self._table = OpenTable(self.path, DECISIONS)
        self._payments = _Payments(self._table)
        self._upkeep = Upkeep([self._table] if tended else [], every=_UPKEEP_EVERY)
        self.commits = 0

    def committed_batch(self, app: str) -> int | None:
        """The newest batch of `app` in the table's log as far as it was read, or None."""
        return self._table.committed_batch(app)

    def refresh(self) -> None:
        """Catch up with commits that others made."""
        self._table.refresh()

    def ledger(self) -> Ledger:
        """What all agents paid so far, for a look."""
        self._table.refresh()
        return self._payments.ledger()

    def append(self, batches: Mapping[str, int], stem: str, judge: Judge, note: dict[str, str]) -> bool:
        """Commit decisions as these batches of their apps; False if the table has the first of them.

        Retry: safe. Where another writer commits first, `judge` is asked again, with what that one paid.
        """
        written: list[DataFile] = []

        def change(table: OpenTable) -> Change:
            while written:  # of an attempt that came too late
                (table.path / written.pop().path).unlink(missing_ok=True)
            rows = judge(self._payments.lent())
            written.append(write_data_file(rows, table.path, f"{stem}.parquet", {}, DECISIONS.stats))
            return Change(add=tuple(written))

        (app, batch), *others = batches.items()
        done = commit_once(self._table, app=app, batch=batch, change=change, note=note, beside=dict(others))
        if done:
            self._payments.took(file.path for file in written)
            self.commits += 1
            self._upkeep.after(self.commits)
        return done


class DecisionLog:
    """`agents.decisions`, for one agent and version.

    The cursor is the newest batch of the app `casper/agents/NAME/VERSION` in the table's log: it is in the same log
    entry as the decisions that it stands for, so neither is ever without the other.
    """

    def __init__(
        self, catalog: Catalog, agent: str, version: str, table: DecisionsTable | None = None
    ) -> None:
        """table: one that is open already, for several agents in one process."""
        self._table = table or DecisionsTable(catalog)
        self.path = self._table.path
        self.agent, self.version = agent, version
        self._app = f"casper/agents/{agent}/{version}"

    @property
    def cursor(self) -> int:
        """The newest source batch whose cases are decided."""
        done = self._table.committed_batch(self._app)
        return BEFORE_THE_FIRST if done is None else done

    def append(self, batch: int, judge: Judge) -> bool:
        """Commit decisions as those of the source batches up to `batch`; False if the table has them.

        Retry: safe. Where another agent commits first, `judge` is asked again, with what that one paid.
        """
        return self._append(self._app, batch, f"{self.agent}-{self.version}-{batch:08d}", judge)

    def append_single(self, judge: Judge) -> bool:
        """Commit decisions that were asked for by themselves; the cursor stays."""
        app, number = self.next_single()
        return self._append(app, number, f"{self.agent}-{self.version}-single-{number:06d}", judge)

    def next_single(self) -> tuple[str, int]:
        """The app and the number of the next commit of decisions that were asked for by themselves."""
        return self._singles, (self._table.committed_batch(self._singles) or 0) + 1

    def decided(self, case_ids: pl.Series) -> pl.Series:
        """Those of the cases that this agent and version decided before."""
        return self._ours(pl.col("case_id").is_in(case_ids.implode()))

    def all_decided(self) -> pl.Series:
        """Every case that this agent and version decided."""
        return self._ours(pl.lit(True))

    @property
    def has_singles(self) -> bool:
        return self._table.committed_batch(self._singles) is not None

    def ledger(self) -> Ledger:
        """What all agents paid so far, for a look."""
        return self._table.ledger()

    @property
    def _singles(self) -> str:
        return f"{self._app}/single"

    def _ours(self, which: pl.Expr) -> pl.Series:
        ours = scan(self.path).filter(
            pl.col("agent") == self.agent, pl.col("agent_version") == self.version, which
        )
        return ours.select("case_id").collect()["case_id"]

    def _append(self, app: str, number: int, stem: str, judge: Judge) -> bool:
        note = {"agent": self.agent, "batch": str(number)}
        self._table.refresh()
        return self._table.append({app: number}, stem, judge, note)


class _Payments:
    """A ledger that follows the table's files. Lent to a judge it is ahead of the table until the commit is done."""

    def __init__(self, table: OpenTable) -> None:
        self._table = table
        self._ledger, self._read, self._lent = Ledger(), set[str](), False

    def ledger(self) -> Ledger:
        """As the table has it; read anew where a judge's payments came to nothing."""
        if self._lent:
            self._ledger, self._read, self._lent = Ledger(), set(), False
        for path in sorted(self._table.files.keys() - self._read):
            for payment in payments_of(pl.scan_parquet(self._table.path / path)):
                if not self._ledger.has(payment.case_id):  # a file that others were put together in
                    self._ledger.add(payment)
        self._read = set(self._table.files)
        return self._ledger

    def lent(self) -> Ledger:
        """The same, to add payments to."""
        ledger, self._lent = self.ledger(), True
        return ledger

    def took(self, paths: Iterable[str]) -> None:
        """The judge's payments are in the table, in these files."""
        self._read |= set(paths)
        self._lent = False


def payments_of(decisions: pl.LazyFrame) -> list[Payment]:
    """The payments of decisions that let money move."""
    paid = decisions.filter(pl.col("amount") > Decimal(0)).select(_PAYMENT).collect()
    return [Payment(case, what, who, at.date(), amount) for case, what, who, at, amount in paid.iter_rows()]
