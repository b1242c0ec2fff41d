"""Rules, late rows, broken and restored tables, as a person meets them at the command line."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from children import CASPER, MEDALLION, SIM, Children, Ended
from lakes import MIDNIGHT, Lake
from recompute import assert_batches_add_up, assert_same_content, assert_tables_match

pytestmark = [pytest.mark.ray, pytest.mark.cli]

Orders = Callable[..., bytes]


@pytest.fixture
def ran(lone_children: Children, lake: Lake) -> Callable[..., Ended]:
    """Runs `medallion run` on the lake; so little to do that it needs no Ray."""
    lake.volume.mkdir(parents=True)

    def run(*more: str) -> Ended:
        return lone_children.run(*MEDALLION, "run", *lake.options, *more)

    return run


@pytest.fixture
def order(event_line: Callable[..., bytes], basket_item: Callable[..., dict[str, Any]]) -> Orders:
    def line(number: int, at: str = "12:00", **fields: Any) -> bytes:
        made: bytes = event_line(number, items=[basket_item()], ts=f"2024-01-01 {at}:00.000", **fields)
        return made

    return line


def test_a_rule_that_stops_says_so_in_a_line_and_the_run_goes_on_once_it_is_mended(
    ran: Callable[..., Ended], order: Orders, lake: Lake
) -> None:
    path = lake.volume / "a.json"
    path.write_bytes(order(1) + order(2, order_id=None))
    stopped = ran()
    assert stopped.code == 2, stopped
    (line,) = [text for text in stopped.err.splitlines() if text.startswith("error: ")]
    assert "batch 1 stopped by rule 'order_id_present' of admitted_events" in line
    assert '"source_file": "a.json", "line_number": 2' in line
    assert "--quality" in line
    assert lake.table("all_events").is_empty()
    path.write_bytes(order(1))
    assert ran().code == 0
    assert lake.table("gold_order_header")["order_id"].to_list() == ["O1"]
    assert_batches_add_up(lake)


def test_late_rows_are_told_of_and_accepted_when_asked(
    ran: Callable[..., Ended], order: Orders, lake: Lake
) -> None:
    (lake.volume / "a.json").write_bytes(order(1, "18:00"))
    ran()
    (lake.volume / "b.json").write_bytes(order(2, "09:00") + order(1, "18:00"))
    told = ran("--json")
    assert {name: told.summary[name] for name in ("rows_in", "duplicates", "late")} == {
        "rows_in": 2,
        "duplicates": 1,
        "late": 1,
    }
    assert_tables_match(lake)
    accepted = ran("--full-refresh", "--late", "accept")
    assert accepted.code == 0, accepted.err
    assert sorted(lake.table("gold_order_header")["order_id"]) == ["O1", "O2"]


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (("--late", "maybe"), "--late: saw 'maybe', expected count or accept"),
        (("--late", "accept", "--refresh", "gold_brand_sales_day"), "use --full-refresh --late accept"),
        (("--quality", "nowhere.yml"), "quality nowhere.yml: there is no such file"),
        (("--quality", "nothing"), "quality 'nothing': unknown"),
    ],
)
def test_what_cannot_be_is_refused_in_a_line(
    ran: Callable[..., Ended], options: tuple[str, ...], told: str
) -> None:
    refused = ran(*options)
    assert refused.code == 2
    assert told in refused.err
    assert "Traceback" not in refused.err


def test_rules_of_ones_own_hold_for_a_run(
    ran: Callable[..., Ended], order: Orders, lake: Lake, tmp_path: Path, lone_children: Children
) -> None:
    rules = tmp_path / "rules.yml"
    rules.write_text(
        "tables: {orders: {expectations: [{name: own, sql: order_id = 'O1', action: drop, owner: me}]}}"
    )
    (lake.volume / "a.json").write_bytes(order(1) + order(2) + order(3, order_id=None))
    assert ran("--quality", str(rules)).code == 0
    assert lake.table("gold_order_header")["order_id"].to_list() == ["O1"]
    log = lake.table("quality_log")
    assert log.select("rule", "action", "failed", "owner").rows() == [("own", "drop", 2, "me")]
    drawn = lone_children.run(*MEDALLION, "dry-run", "--quality", str(rules))
    assert "drop       own: order_id = 'O1'" in drawn.out
    shown = lone_children.run(*CASPER, "quality", "show", *lake.options, "--json")
    assert shown.summary


def test_a_broken_table_is_found_and_mended_and_a_restored_one_brought_forward(
    lone_children: Children, three_days: Lake, copied: Callable[[Lake], Lake]
) -> None:
    lake = copied(three_days)

    def casper(*words: str) -> Ended:
        return lone_children.run(*CASPER, "lake", *words, *lake.options)

    assert casper("fsck", "--deep").out.strip() == "nothing amiss"
    victim = next(iter(sorted(lake.path("silver_order_items").rglob("*.parquet"))))
    data = bytearray(victim.read_bytes())
    data[len(data) // 2] ^= 1
    victim.write_bytes(bytes(data))
    assert casper("fsck").code == 0, "its size and its footer are right"
    found = casper("fsck", "--deep", "--json")
    assert found.code == 1
    (finding,) = found.summary["findings"]
    assert (finding["table"], finding["mend"]) == ("lakeflow.silver_order_items", "rebuild")
    restored = casper("restore", "gold_brand_sales_day", "--version", "0")
    assert restored.code == 0, restored.err
    version = str(lake.version("gold_brand_sales_day"))
    assert "nothing was changed" in casper("restore", "gold_brand_sales_day", "--version", version).out
    assert lake.version("gold_brand_sales_day") == int(version)
    assert "RESTORE        to version 0" in casper("history", "gold_brand_sales_day").out
    assert lake.table("gold_brand_sales_day").is_empty()
    mended = casper("repair", "--deep")
    assert (mended.code, mended.out.splitlines()[-1]) == (0, "mended"), mended
    assert casper("fsck", "--deep").code == 0
    assert_same_content(lake, three_days)
    told = casper("show", "batches").out
    assert "admitted_events" in told
    assert "NO" not in told


def test_upkeep_leaves_every_row_and_a_short_retention_needs_force(
    lone_children: Children, three_days: Lake, copied: Callable[[Lake], Lake]
) -> None:
    lake = copied(three_days)
    refused = lone_children.run(*CASPER, "lake", "vacuum", "--retention", "10m", *lake.options)
    assert refused.code == 2
    assert "--force" in refused.err
    for words in (("optimize",), ("vacuum", "--retention", "0", "--force")):
        assert lone_children.run(*CASPER, "lake", *words, *lake.options).code == 0
    assert_same_content(lake, three_days)
    gone = lone_children.run(*CASPER, "lake", "show", "gold_order_header", "--version", "0", *lake.options)
    assert gone.code == 2
    assert "has no readable version 0" in gone.err
    assert lone_children.run(*CASPER, "lake", "fsck", "--deep", *lake.options).code == 0


def test_a_faulty_telling_leaves_what_the_lines_say_row_by_row(children: Children, lake: Lake) -> None:
    story = "duplicates+late+shuffled+clock_skew+malformed"
    fast = ("--speed", "max", "--from", MIDNIGHT, "--until-day", "2", "--json")
    ended = children.run(*SIM, *lake.options, *fast, "--scenario", story)
    assert ended.code == 0, ended.err
    summary = ended.summary
    assert summary["duplicates"]
    assert summary["late"]
    assert summary["quarantined"]
    assert_tables_match(lake)
    words = lake.table("all_events").group_by("_admission").len()
    counts = dict(words.iter_rows())
    assert (counts["duplicate"], counts["late"]) == (summary["duplicates"], summary["late"])
    batches = lake.table("batches")
    went = sum(pl.col(f"rows_{where}") for where in ("out", "duplicate", "late", "dropped", "quarantined"))
    assert batches.filter(pl.col("rows_in") != went).is_empty()
    watermarks: list[datetime] = batches.sort("batch")["watermark"].to_list()
    assert watermarks == sorted(watermarks)
