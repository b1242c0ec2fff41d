"""Repair of a catalog: what is broken set aside, what is lacking brought back from the volume, or a loud refusal."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from casper_ray.errors import LakeError
from casper_ray.lakehouse.fsck import Finding, table_findings
from casper_ray.lakehouse.inspect import located
from casper_ray.lakehouse.mend import Mender
from casper_ray.lakehouse.names import Catalog
from casper_ray.medallion.audit import pipeline_findings
from casper_ray.medallion.one_pass import load_pipeline
from casper_ray.medallion.quarantine import QUARANTINE
from casper_ray.medallion.reinstate import reinstate_batches
from casper_ray.medallion.runner import Runner, Wishes

_MAKES = "bring forward", "rebuild"
_ROUNDS = 4
"""A look stops at what is worst; what lies behind it is seen once that is mended."""
_FEW_BATCHES = 200
"""Up to here a table's batches are run again one by one, which leaves it the versions that it had."""


def findings(
    catalog: Catalog, runner_reference: str, names: Sequence[str], *, deep: bool, told: Callable[[str], None]
) -> list[Finding]:
    """What is amiss with the named tables (`schema.table`; none named: all), by themselves and between them."""
    found = []
    for schema, table in catalog.table_names():
        if not names or f"{schema}.{table}" in names:
            found += table_findings(f"{schema}.{table}", catalog.table(schema, table), deep=deep, told=told)
    if any(finding.grave for finding in found):
        return found  # what is between tables cannot be told while one of them cannot be read
    between = pipeline_findings(catalog, load_pipeline(runner_reference))
    return [*found, *(finding for finding in between if not names or finding.table in names)]


def full_names(catalog: Catalog, names: Sequence[str]) -> list[str]:
    """`schema.table` of tables as they were typed. Raises: LakeError for one that is not there."""
    return [".".join(located(catalog, name)[:2]) for name in names]


@dataclass(frozen=True, slots=True, kw_only=True)
class Repair:
    """Mends one catalog. The caller holds the pipeline's lease, so nobody writes meanwhile.

    told: each thing that is done, a line.
    """

    catalog: Catalog
    reference: str
    told: Callable[[str], None]

    def run(self, found: list[Finding], names: Sequence[str], *, deep: bool) -> list[Finding]:
        """Mend what was found; what is still amiss afterwards, which is nothing if it does not raise.

        Raises: LakeError for a table that holds what no volume has (the world's tables, `batches`, `quality_log`)
        and cannot be mended from its own files. Everything else that could be mended is by then, in this round.
        """
        for _ in range(_ROUNDS):
            if not found:
                break
            # Files that no version names may be what a lost commit named, and bring it back: they go last, alone.
            found = [finding for finding in found if finding.mend != "remove"] or found
            self._mend_files(found)
            if hopeless := self._hopeless(found):
                raise LakeError(
                    f"cannot be mended here: {'; '.join(map(str, hopeless))}",
                    "restore these tables from a copy; or make a new lake, and move the volume's files into it",
                )
            self._bring_back(found)
            found = findings(self.catalog, self.reference, names, deep=deep, told=self.told)
        return found

    def _mend_files(self, found: list[Finding]) -> None:
        for name in dict.fromkeys(finding.table for finding in found):
            mine = [finding for finding in found if finding.table == name and finding.mend not in _MAKES]
            mender = Mender(self._path(name), self.catalog.state / "set-aside")
            mender.mend(mine)
            if mine and not mender.whole() and name in self._rebuildable():
                mender.drop_log()
            for line in mender.done:
                self.told(f"{name}: {line}")

    def _bring_back(self, found: list[Finding]) -> None:
        """Commits that were lost are made again, then the batch that was half done is finished; then tables whose
        rows cannot be trusted, or that lack very much, are made anew.
        """
        for number in reinstate_batches(self.catalog, load_pipeline(self.reference)):
            self.told(f"put the row of batch {number} back into batches")
        runner = Runner(self.reference, self.catalog, Wishes(mending=True))
        lacking = runner.lacking_batches()
        anew = {name for name, batches in lacking.items() if batches > _FEW_BATCHES}
        for report in runner.bring_forward(*(name for name in runner.tables if name not in anew)):
            self.told(f"ran batch {report.batch.number} again for the tables that lacked it")
        if recovered := runner.recover():
            self.told(f"finished batch {recovered.batch.number}, which was half done")
        between = pipeline_findings(self.catalog, runner.pipeline)
        broken = {finding.table for finding in (*found, *between) if finding.mend == "rebuild"}
        names = [n for n in runner.tables if n in anew or f"{runner.pipeline.schema}.{n}" in broken]
        if names:
            self.told(f"rebuilding {', '.join(names)} from the volume")
            runner.refresh(*names)

    def _hopeless(self, found: list[Finding]) -> list[Finding]:
        """What no volume can bring back."""
        rebuilt = self._rebuildable()
        grave = [finding for finding in found if finding.grave and finding.table not in rebuilt]
        return [
            f
            for f in grave
            if f.mend == "rebuild" or not Mender(self._path(f.table), self.catalog.state).whole()
        ]

    def _rebuildable(self) -> frozenset[str]:
        pipeline = load_pipeline(self.reference)
        names = {table.name for table in pipeline.tables} | {QUARANTINE.name}
        return frozenset(f"{pipeline.schema}.{name}" for name in names)

    def _path(self, name: str) -> Path:
        schema, _, table = name.partition(".")
        return self.catalog.table(schema, table)
