"""The corruption matrix: each way to break a table is found, and mended or refused; never fewer rows."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from random import Random

import polars as pl
from deltalake import DeltaTable
from story import Outcome, Stage
from subject import Subject
from toy import REFERENCE

from casper_ray.errors import CasperError
from casper_ray.lakehouse.lease import held_lease
from casper_ray.lakehouse.log import LogFiles
from casper_ray.lakehouse.names import Catalog, open_catalog
from casper_ray.lakehouse.read import scan
from casper_ray.medallion.repair import Repair, findings

TABLES = (
    "all_events",
    "silver_order_items",
    "gold_order_header",
    "gold_brand_sales_day",
    "batches",
    "quality_log",
)
BATCHES = 30
OF_THE_RUN = ("_ingested_at", "ingested_at", "run", "versions")
Damage = Callable[[Path, Random], None]


def zero_byte_last_commit(table: Path, rng: Random) -> None:
    _last_commit(table).write_bytes(b"")


def torn_last_commit(table: Path, rng: Random) -> None:
    path = _last_commit(table)
    path.write_bytes(path.read_bytes()[: path.stat().st_size * 2 // 3])


def torn_commit_in_the_middle(table: Path, rng: Random) -> None:
    log = LogFiles.of(table)
    later = [version for version in log.commits if version > max(log.checkpoints, default=0)]
    path = log.commits[later[len(later) // 2]]
    path.write_bytes(path.read_bytes()[:40])


def lost_last_commit(table: Path, rng: Random) -> None:
    _last_commit(table).unlink()


def truncated_checkpoint(table: Path, rng: Random) -> None:
    path = list(LogFiles.of(table).checkpoints.values())[-1]
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def hint_to_nowhere(table: Path, rng: Random) -> None:
    hint = LogFiles.of(table).hint
    hint.write_text(json.dumps({**json.loads(hint.read_text()), "version": 9_999}))


def missing_data_file(table: Path, rng: Random) -> None:
    rng.choice(_live(table)).unlink()


def flipped_byte(table: Path, rng: Random) -> None:
    path = rng.choice(_live(table))
    data = bytearray(path.read_bytes())
    data[rng.randrange(4, len(data) - 8)] ^= 0x10
    path.write_bytes(bytes(data))


def orphan_files(table: Path, rng: Random) -> None:
    source = rng.choice(_live(table))
    shutil.copy(source, source.with_name("batch-99999999-00000-0123456789abcdef.parquet"))
    shutil.copy(source, source.with_name(f".{source.name}.1f.part"))


MATRIX: dict[str, Damage] = {
    "zero-byte last commit": zero_byte_last_commit,
    "torn last commit": torn_last_commit,
    "torn commit in the middle": torn_commit_in_the_middle,
    "one batch behind (last commit gone)": lost_last_commit,
    "truncated checkpoint": truncated_checkpoint,
    "hint naming a missing checkpoint": hint_to_nowhere,
    "missing data file": missing_data_file,
    "flipped byte in a data file": flipped_byte,
    "orphan files": orphan_files,
}


def play(stage: Stage) -> list[Outcome]:
    whole = _whole_lake(stage.folder / "whole")
    tables = TABLES if stage.scale != "short" else TABLES[1:2] + TABLES[3:5]
    return [_outcome(stage, whole, what, damage, tables) for what, damage in MATRIX.items()]


def _outcome(stage: Stage, whole: Catalog, what: str, damage: Damage, tables: tuple[str, ...]) -> Outcome:
    found: list[str] = []
    trouble: list[str] = []
    for table in tables:
        catalog = _copy(whole, stage.folder / "broken")
        damage(catalog.table("lakeflow", table), Random(f"{stage.seed} {what} {table}"))
        verdict, wrong = _judged(catalog, whole)
        found.append(verdict)
        if wrong:
            trouble.append(f"{what}, {table}: {wrong}")
    told = ", ".join(f"{found.count(word)} {word}" for word in dict.fromkeys(found))
    stage.told(f"{what}: {told}")
    return Outcome(
        done=f"{what}, in {len(tables)} tables, one at a time",
        found=f"{len(found)} found; {told}; rows silently lost: {len(trouble)}",
        passed=not trouble,
        figures={"tables": len(tables), "lost": len(trouble)},
        trouble="; ".join(trouble),
    )


def _judged(catalog: Catalog, whole: Catalog) -> tuple[str, str]:
    """What became of a broken lake, in a word; and what is wrong with that, if anything."""
    found = findings(catalog, REFERENCE, [], deep=True, told=lambda text: None)
    if not found:
        return "overlooked", "fsck found nothing"
    try:
        with held_lease(catalog.state / "toy-pipeline.lease", "corruption"):
            left = Repair(catalog=catalog, reference=REFERENCE, told=lambda text: None).run(
                found, [], deep=True
            )
    except CasperError as error:
        return "refused", "" if "cannot be mended" in str(
            error
        ) else f"refused without a word of why: {error}"
    if left:
        return "not mended", "; ".join(map(str, left))
    differing = [name for name in TABLES if not _same(catalog, whole, name)]
    return ("mended", "") if not differing else ("mended wrongly", f"other rows in {differing}")


def _same(one: Catalog, other: Catalog, table: str) -> bool:
    first, second = (_rows(catalog, table) for catalog in (one, other))
    if table in ("batches", "quality_log"):  # a repair that makes a table anew is a batch of its own
        first = first.filter(pl.col("batch") <= BATCHES)
    return sorted(map(repr, first.rows())) == sorted(map(repr, second.rows()))


def _rows(catalog: Catalog, table: str) -> pl.DataFrame:
    rows = scan(catalog.table("lakeflow", table)).collect().drop(OF_THE_RUN, strict=False)
    return rows.drop("_batch_id", strict=False)


def _whole_lake(folder: Path) -> Catalog:
    subject = Subject(folder)
    for _ in range(BATCHES):
        subject.advance(2.0)
        subject.run_pipeline()
    return subject.catalog


def _copy(whole: Catalog, folder: Path) -> Catalog:
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(whole.lake, folder)
    return open_catalog(str(folder), whole.name)


def _last_commit(table: Path) -> Path:
    return max((table / "_delta_log").glob("*.json"))


def _live(table: Path) -> list[Path]:
    return [Path(uri.removeprefix("file://")) for uri in sorted(DeltaTable(str(table)).file_uris())]
