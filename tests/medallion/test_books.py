"""What is written down of batches, and of the rules that they were judged by, is read back as it was."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from small_lake import SmallLake, minute_us, order, window_name

from casper_ray.errors import LakeError
from casper_ray.medallion.accounts import Account
from casper_ray.medallion.batch import Batch, BatchJournal
from casper_ray.medallion.batches import Progress, batch_row, reads_of, versions_of
from casper_ray.medallion.expectations import expect_or_drop
from casper_ray.medallion.files import Read
from casper_ray.medallion.kitchen.pipeline import PIPELINE
from casper_ray.medallion.kitchen.source import EVENTS
from casper_ray.medallion.quality import Quality
from casper_ray.medallion.quality_config import resolve_quality
from casper_ray.medallion.rule_book import RuleBook

instants = st.none() | st.integers(-(10**15), 10**16)
reads = st.builds(
    Read, st.text(min_size=1), st.integers(0, 99), st.integers(99, 2**40), instants, instants, st.booleans()
)
RULES = Quality(
    rules={"orders": (expect_or_drop("a", "x > 'ü\"'", tags=("t", "u"), owner="me"),)},
    lateness_us={"admitted": 5},
)


@given(
    read=st.lists(reads, max_size=4),
    instant=instants,
    references=st.dictionaries(st.text(min_size=1), st.none() | st.integers(0), max_size=2),
)
def test_a_batch_that_is_written_down_is_read_back_the_same(
    read: list[Read],
    instant: int | None,
    references: dict[str, int | None],
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    journal = BatchJournal(tmp_path_factory.mktemp("state") / "batch.json")
    batch = Batch(
        number=7,
        reads=tuple(read),
        sim_instant_us=instant,
        ingested_at_us=1,
        quality=RULES,
        replaces=("orders",),
        references=references,
    )
    assert journal.pending() is None
    journal.write(batch)
    assert journal.pending() == batch
    journal.forget()
    assert journal.pending() is None
    journal.forget()


def test_a_batch_of_another_format_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "batch.json"
    journal = BatchJournal(path)
    journal.write(Batch(number=1, reads=(), sim_instant_us=None, ingested_at_us=1, quality=RULES))
    written = json.loads(path.read_text())
    for wrong in ({**written, "format": 1}, {"format": 2}, {**written, "colour": "red"}, [1]):
        path.write_text(json.dumps(wrong))
        with pytest.raises(LakeError, match=r"batch\.json: is not a batch"):
            journal.pending()


@given(st.lists(reads, max_size=4))
def test_the_row_of_a_batch_tells_of_its_reads(read: list[Read]) -> None:
    batch = Batch(number=3, reads=tuple(read), sim_instant_us=None, ingested_at_us=1, quality=RULES)
    row = batch_row(batch, Account(), {}, marks_us={}, instant_us=None, tables={}, quality="book").row(
        0, named=True
    )
    assert reads_of(row["files"], row["reads"]) == batch.reads


def test_versions_are_read_back() -> None:
    assert versions_of(["a=0", "b_c=12"]) == {"a": 0, "b_c": 12}


def test_what_a_restart_knows_is_what_the_run_knew(tmp_path: Path) -> None:
    """Also after a file grew, rows came late and counted, and a refresh."""
    lake = SmallLake.at(tmp_path / "lake")
    runner = lake.runner(late_accepted=True)
    lake.drop(window_name(0, 0, 60), order(1, 30))
    lake.drop("mine.json", order(2, 50)[:-40])
    assert len(list(runner.run_available(minute_us(70)))) == 1
    lake.drop("mine.json", order(2, 50), order(3, 600))
    assert len(list(runner.run_available(minute_us(700)))) == 1
    runner.refresh()
    again = lake.runner().progress
    assert again == runner.progress
    assert list(again.reads) == list(runner.progress.reads), "in the order in which they came"
    assert again.marks_us == {EVENTS.name: minute_us(420)}
    assert [read[:3] for read in again.reads.values() if read.name == "mine.json"] == [
        ("mine.json", 0, len(order(2, 50)) - 40),
        ("mine.json", 0, len(order(2, 50) + order(3, 600))),
    ]
    assert all(read.late_accepted for read in again.reads.values())


def test_progress_remembers_how_far_a_file_was_read() -> None:
    progress = Progress()
    progress.note((Read("a", 0, 10), Read("b", 0, 5)))
    progress.note((Read("a", 8, 20), Read("a", 0, 10, 1, 1, True)))
    assert progress.taken == {"a": 20, "b": 5}
    assert list(progress.reads.values()) == [
        Read("a", 0, 10, 1, 1, True),
        Read("b", 0, 5),
        Read("a", 8, 20),
    ]


def test_rules_are_kept_under_the_digest_of_what_they_say(tmp_path: Path) -> None:
    book = RuleBook(tmp_path / "rules")
    kitchen = resolve_quality(PIPELINE)
    names = [
        book.keep(rules) for rules in (RULES, kitchen, RULES, replace(RULES, lateness_us={"admitted": 6}))
    ]
    assert names[0] == names[2]
    assert len(set(names)) == len(list((tmp_path / "rules").glob("*.json"))) == 3
    assert RuleBook(tmp_path / "rules").rules(names[0]) == RULES
    assert book.rules(names[1]) == kitchen


@pytest.mark.parametrize(
    "content", [None, b"\x00", b"[]", b"{}", b'{"rules": {"t": [{}]}, "lateness_us": {}}']
)
def test_a_page_of_rules_that_cannot_be_read_is_told(tmp_path: Path, content: bytes | None) -> None:
    book = RuleBook(tmp_path)
    name = book.keep(RULES)
    path = tmp_path / f"{name}.json"
    path.unlink()
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(LakeError, match=rf"{name}\.json: .*restore it from a copy"):
        book.rules(name)


def test_each_batch_names_the_rules_that_it_was_judged_by(tmp_path: Path) -> None:
    lake = SmallLake.at(tmp_path / "lake")
    lake.drop("a.json", order(1))
    lake.run()
    lake.drop("b.json", order(2))
    lake.run(quality="none")
    book = RuleBook(lake.catalog.state / "rules")
    found = [book.rules(name) for name in lake.table("batches").sort("batch")["quality"]]
    assert found == [resolve_quality(PIPELINE), resolve_quality(PIPELINE, "none")]
