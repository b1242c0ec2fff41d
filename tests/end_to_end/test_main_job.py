"""The main job from the command line: what it prints, what it leaves, and that it is right to the cent."""

from __future__ import annotations

import json
import signal
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import polars as pl
import pytest
from children import MEDALLION, SIM, Children, Ended, wait_until
from lakes import GOLD_KEYS, MIDNIGHT, TEN, Lake
from recompute import assert_batches_add_up, assert_same_content, assert_tables_match
from stories import told_between

pytestmark = [pytest.mark.ray, pytest.mark.cli]

SUMMARY_KEYS = {
    "replay_id", "domain", "events", "orders", "sim_from", "sim_to", "wall_s", "events_per_s", "lag_ms",
    "batches", "duplicates", "late", "quarantined", "tables",
}  # fmt: skip
FAST = ("--speed", "max", "--from", MIDNIGHT)


def ran(children: Children, lake: Lake, *options: str) -> dict[str, Any]:
    """The summary of a run that has to succeed."""
    ended = children.run(*SIM, *lake.options, *options, "--json")
    assert ended.code == 0, ended.err
    return ended.summary


def test_a_run_ends_with_one_json_object_of_the_contract(three_days_run: tuple[Lake, Ended]) -> None:
    lake, ended = three_days_run
    assert ended.code == 0, ended.err
    summary = ended.summary
    assert summary.keys() >= SUMMARY_KEYS
    assert summary["lag_ms"].keys() == {"p50", "p95", "p99"}
    assert (summary["sim_from"], summary["sim_to"]) == ("2024-01-01T00:00:00Z", "2024-01-04T00:00:00Z")
    assert summary["domain"] == "kitchen"
    told = {name: (table["version"], table["rows"]) for name, table in summary["tables"].items()}
    names = ("all_events", "silver_order_items", *GOLD_KEYS)
    seen = {f"lakeflow.{name}": (lake.version(name), lake.table(name).height) for name in names}
    assert told.items() >= seen.items()


def test_every_line_of_the_volume_is_one_event(three_days_run: tuple[Lake, Ended]) -> None:
    lake, ended = three_days_run
    lines, rows = lake.lines(), lake.table("all_events")
    assert ended.summary["events"] == lines.total() == len(lines) == rows.height > 20_000
    assert rows["event_id"].is_unique().all()
    assert ended.summary["orders"] == rows.filter(pl.col("event_type") == "order_created").height


def test_every_table_equals_an_independent_recomputation(three_days: Lake) -> None:
    assert_tables_match(three_days)
    assert_batches_add_up(three_days)


def test_a_second_run_goes_on_and_only_adds_and_a_third_finds_nothing(
    children: Children, three_days: Lake, copied: Callable[[Lake], Lake]
) -> None:
    lake = copied(three_days)
    before = lake.table("all_events")
    summary = ran(children, lake, "--speed", "max", "--until-day", "4")
    assert summary["sim_from"] == "2024-01-04T00:00:00Z"
    after = lake.table("all_events")
    assert after.join(before, on=before.columns, how="semi").height == before.height
    assert after.height == before.height + summary["events"] == lake.lines().total()
    assert_tables_match(lake)
    versions = lake.versions()
    again = ran(children, lake, "--speed", "max", "--until-day", "4")
    assert (again["events"], again["orders"], again["batches"]) == (0, 0, 0)
    assert lake.versions() == versions
    assert_batches_add_up(lake)


def test_replayed_to_the_end_every_order_is_delivered_as_the_truth_says(
    children: Children, lake: Lake
) -> None:
    summary = ran(children, lake, *FAST, "--days", "2")
    events = lake.table("all_events")
    of_type = {name: rows for (name,), rows in events.partition_by("event_type", as_dict=True).items()}
    created, delivered = (set(of_type[name]["order_id"]) for name in ("order_created", "delivered"))
    assert created == delivered == set(events["order_id"])
    assert not events["order_id"].str.contains("-L").any()
    assert (events["ts"] < summary["sim_to"].replace("T", " ")).all()
    begun_again = children.run(*SIM, *lake.options, "--speed", "max", "--loop")
    assert begun_again.code == 2, begun_again
    assert (
        "--loop: the replay on this lake has gone past the next loop's first midnight without it"
        in begun_again.err
    )
    truth = lake.table("orders", "truth")
    assert truth["order_id"].is_unique().all()
    assert set(truth["order_id"]) == delivered
    for event_type, column in (("order_created", "created_ts"), ("delivered", "delivered_ts")):
        at = pl.col("ts").str.to_datetime("%Y-%m-%d %H:%M:%S%.3f", time_unit="us", time_zone="UTC")
        told = of_type[event_type].select("order_id", at.alias(column)).sort("order_id")
        assert told.equals(truth.select("order_id", column).sort("order_id"))
    paid = lake.table("gold_order_header").select("order_id", pl.col("order_revenue").alias("order_total"))
    assert paid.sort("order_id").equals(truth.select("order_id", "order_total").sort("order_id"))


def test_a_loop_goes_on_past_the_end_with_new_order_ids_and_rising_time(
    children: Children, lake: Lake
) -> None:
    ran(children, lake, *FAST, "--days", "1", "--loop", "--until-day", "2.5")
    events = lake.table("all_events").with_columns(pl.col("ts").str.to_datetime(time_unit="us"))
    created = events.filter(pl.col("event_type") == "order_created")
    loop = pl.col("order_id").str.extract(r"-L(\d+)$").cast(pl.Int64).fill_null(0)
    day = (pl.col("ts").dt.date() - datetime(2024, 1, 1, tzinfo=UTC).date()).dt.total_days()
    assert created.select((loop == day).all()).item()
    assert set(created.select(loop).to_series()) == {0, 1, 2}
    assert events["event_id"].is_unique().all()
    assert_tables_match(lake)
    assert_batches_add_up(lake)


def test_a_replay_stopped_after_the_last_midnight_cannot_loop_any_more(
    children: Children, lake: Lake
) -> None:
    """The next loop's orders of the minutes after midnight were not told: they would be missing."""
    ran(children, lake, *FAST, "--days", "1", "--until-day", "1.01")
    refused = children.run(*SIM, *lake.options, "--speed", "max", "--loop")
    assert refused.code == 2, refused
    assert "first midnight without it" in refused.err
    assert ran(children, lake, *FAST[:2])["sim_to"] > "2024-01-02", "without it, the run goes on"


def test_a_replay_stopped_before_the_last_midnight_may_loop(children: Children, lake: Lake) -> None:
    ran(children, lake, *FAST, "--days", "1", "--until-day", "0.9")
    ran(children, lake, *FAST[:2], "--loop", "--until-day", "1.01")
    assert lake.table("all_events")["order_id"].str.ends_with("-L1").any()


def test_available_now_takes_what_is_due_and_ends(children: Children, lake: Lake) -> None:
    now = ("--trigger", "available-now", "--speed", "3600")
    reached = [ran(children, lake, *begin, *now)["sim_to"] for begin in (("--from", TEN), (), ())]
    due = datetime.fromisoformat(TEN).replace(tzinfo=UTC) + 3600 * (datetime.now(UTC) - _began(lake))
    assert f"{TEN}:00Z" <= reached[0] < reached[1] < reached[2] <= f"{due:%Y-%m-%dT%H:%M:%S.%fZ}"
    assert lake.lines() == told_between(f"{TEN}:00Z", reached[2])
    assert_tables_match(lake)
    assert_batches_add_up(lake)


def test_available_now_first_catches_up_to_the_start_day(children: Children, lake: Lake) -> None:
    now = ("--trigger", "available-now", "--speed", "1", "--start-day", "1")
    summary = ran(children, lake, *now)
    assert f"2024-01-02T{_began(lake):%H:%M}" == summary["sim_to"][:16]
    assert summary["sim_from"] == f"{MIDNIGHT}:00Z"
    assert lake.lines() == told_between(f"{MIDNIGHT}:00Z", summary["sim_to"])


def _began(lake: Lake) -> datetime:
    """Wall time at which the first run began."""
    cursor = json.loads((lake.state / "replay" / "cursor.json").read_text())
    return datetime.fromtimestamp(cursor["started_wall_us"] / 1e6, UTC)


def test_the_pipeline_by_itself_makes_the_same_tables_and_makes_them_anew(
    children: Children, three_days: Lake, lake: Lake
) -> None:
    summary = ran(children, lake, *FAST, "--until-day", "3", "--no-pipeline")
    assert summary["events"] == lake.lines().total()
    assert not lake.path("all_events").exists()
    pipeline_ran(children, lake)
    assert lake.lines() == three_days.lines()
    assert_same_content(lake, three_days)
    assert_tables_match(lake)
    pipeline_ran(children, lake, "--refresh", "gold_brand_sales_day")
    refreshed = lake.versions()
    pipeline_ran(children, lake, "--full-refresh")
    assert all(version > refreshed[name] for name, version in lake.versions().items())
    assert_same_content(lake, three_days)
    assert_tables_match(lake)


def pipeline_ran(children: Children, lake: Lake, *options: str) -> dict[str, Any]:
    ended = children.run(*MEDALLION, "run", *lake.options, *options, "--json")
    assert ended.code == 0, ended.err
    return ended.summary


def test_gold_does_not_depend_on_speed_tick_and_windows(
    children: Children, three_days: Lake, lake: Lake
) -> None:
    slow = ("--speed", "6000", "--tick", "150ms", "--from", MIDNIGHT, "--quiet")
    with children.started(*SIM, *lake.options, *slow) as running:
        wait_until(lambda: lake.is_live(running.process.pid), "the replay is live")
        wait_until(lambda: lake.table("batches").height > 3, "there were several batches")
        running.signal(signal.SIGINT)
        assert running.wait().code == 130
    ran(children, lake, "--speed", "max", "--tick", "700ms", "--until-day", "3")
    assert lake.lines() == three_days.lines()
    assert [f.name for f in lake.files()] != [f.name for f in three_days.files()]
    assert_same_content(lake, three_days)
    assert_tables_match(lake)


def test_a_file_from_elsewhere_is_read_once_while_a_replay_goes_on(
    children: Children, lake: Lake, foreign_orders: Callable[[int], bytes]
) -> None:
    command = (*SIM, *lake.options, "--speed", "3600", "--tick", "200ms", "--json")
    with children.started(*command, "--from", TEN) as running:
        wait_until(lambda: lake.is_live(running.process.pid), "the replay is live")
        partial = lake.volume / ".mine.json"
        partial.write_bytes(foreign_orders(3))
        partial.rename(lake.volume / "mine.json")
        wait_until(lambda: _from_mine(lake) > 0, "the file is in Bronze")
        running.signal(signal.SIGINT)
        ended = running.wait()
    assert ended.code == 130, ended.err
    assert lake.table("all_events").height == ended.summary["events"] + 3
    ran(children, lake, "--speed", "max", "--until-day", "1")
    orders = pl.col("order_id").str.starts_with("MINE")
    assert lake.table("gold_order_header").filter(orders).height == 3
    assert _from_mine(lake) == 3
    assert_tables_match(lake)
    assert_batches_add_up(lake)


def _from_mine(lake: Lake) -> int:
    return lake.table("all_events").filter(pl.col("_source_file") == "mine.json").height
