"""A refresh makes tables anew, exactly as the batches left them, and takes nothing from the others."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from small_lake import SmallLake, item, order, window_name

from casper_ray.errors import LakeError
from casper_ray.medallion import pass_run

LATENESS = 180


@pytest.fixture
def lake(tmp_path: Path) -> SmallLake:
    return SmallLake.at(tmp_path / "lake")


def test_a_refresh_of_one_table_leaves_new_files_to_the_next_batch(lake: SmallLake) -> None:
    lake.drop("a.json", order(1))
    lake.run()
    lake.drop("b.json", order(2))
    runner = lake.runner()
    assert [read.name for read in runner.refresh("gold_brand_sales_day").batch.reads] == ["a.json"]
    (report,) = runner.run_available()
    assert [read.name for read in report.batch.reads] == ["b.json"]
    assert lake.orders() == ["O1", "O2"]
    assert lake.table("all_events").height == 2
    assert lake.table("gold_brand_sales_day")["orders"].to_list() == [2]


@pytest.mark.parametrize("named", [False, True], ids=["none named", "all named"])
def test_a_refresh_of_every_table_takes_new_files_along(lake: SmallLake, named: bool) -> None:
    lake.drop("a.json", order(1))
    lake.run()
    lake.drop("b.json", order(2))
    runner = lake.runner()
    runner.refresh(*(runner.tables if named else ()))
    assert lake.orders() == ["O1", "O2"]
    assert list(runner.run_available()) == []
    assert lake.run() == []


def test_a_refresh_without_a_file_that_was_read_changes_nothing_and_runs_go_on(lake: SmallLake) -> None:
    lake.drop("a.json", order(1))
    lake.drop("b.json", order(2))
    lake.run()
    (lake.volume / "a.json").unlink()
    before, journal = lake.files(), lake.journal.read_bytes()
    with pytest.raises(LakeError, match=r"such as a\.json") as caught:
        lake.runner().refresh()
    assert "\n" not in str(caught.value)
    assert (lake.files(), lake.journal.read_bytes()) == (before, journal)
    lake.drop("c.json", order(3))
    lake.run()
    assert lake.orders() == ["O1", "O2", "O3"]


def test_a_refresh_that_a_rule_stops_changes_nothing(lake: SmallLake, tmp_path: Path) -> None:
    lake.drop("a.json", order(1), order(2, location_id=2))
    lake.run()
    before = lake.files()
    (tmp_path / "q.yml").write_text(
        "tables: {admitted_events: {expectations: [{name: home, sql: location_id = 1, action: fail}]}}"
    )
    with pytest.raises(Exception, match="stopped by rule 'home'"):
        lake.runner(quality=str(tmp_path / "q.yml")).refresh()
    assert lake.files() == before
    assert not lake.journal.exists()
    lake.drop("b.json", order(3))
    assert [report.batch.number for report in lake.run()] == [2]


class Told(NamedTuple):
    """A file: its rows (key, minutes, what is wrong with it), how its batch is run, and if one begins anew."""

    rows: list[tuple[int, int, str]]
    late_accepted: bool
    restarted: bool


WRONG = {
    "nothing": {},
    "no items": {"items": []},
    "price": {"items": [item(price=-1), item()]},
    "quantity": {"items": [item(qty=100)]},
    "body": {"body": "{"},
    "time": {"ts": "noon"},
}
told_files = st.lists(
    st.builds(
        Told,
        st.lists(st.tuples(st.integers(0, 7), st.integers(-300, 600), st.sampled_from([*WRONG])), max_size=5),
        st.booleans(),
        st.booleans(),
    ),
    min_size=1,
    max_size=5,
)


def lines_of(file: Told) -> list[bytes]:
    """An event told again with other contents is another order: only its event_id is the same."""
    return [order(key, at, **{"order_id": f"{key}at{at}", **WRONG[wrong]}) for key, at, wrong in file.rows]


def verdicts(told: list[Told]) -> list[tuple[str, str, str]]:
    """(file, event, verdict) of each row with a time, one by one; windows end at 200, 400, ... minutes."""
    watermark, admitted, found = -10_000, [], []
    for number, file in enumerate(told):
        dated = [(key, at) for key, at, wrong in file.rows if wrong != "time"]
        for key, at in dated:
            late = at < watermark
            again = any(k == key and t >= (at - LATENESS if late else watermark) for k, t in admitted)
            word = "late" if late and not file.late_accepted else "duplicate" if again else "admitted"
            if word == "admitted":
                admitted.append((key, at))
            found.append((name_of(number), f"{key}at{at}", word))
        newest = max((at for _, at in dated), default=-10_000)
        watermark = max(watermark, min(newest, 200 * (number + 1)) - LATENESS)
    return sorted(found)


def name_of(number: int) -> str:
    return window_name(number, 200 * number, 200 * (number + 1))


def bronze(lake: SmallLake) -> list[tuple[str, str, str]]:
    return sorted(lake.table("all_events").select("_source_file", "order_id", "_admission").rows())


@settings(max_examples=10, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(told=told_files, at_once=st.booleans(), block_bytes=st.sampled_from([1, 900, 1 << 24]))
def test_any_mixture_is_counted_as_one_by_one_and_a_refresh_leaves_the_same(
    told: list[Told],
    at_once: bool,
    block_bytes: int,
    tmp_path_factory: pytest.TempPathFactory,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(pass_run, "BLOCK_BYTES", block_bytes)
    lake = SmallLake.at(tmp_path_factory.mktemp("lake"))
    if at_once:
        told = [file._replace(late_accepted=told[0].late_accepted) for file in told]
    runners = {accepted: lake.runner(late_accepted=accepted) for accepted in (told[0].late_accepted,)}
    for number, file in enumerate(told):
        lake.drop(name_of(number), *lines_of(file))
        if at_once and number < len(told) - 1:
            continue
        if file.restarted or file.late_accepted not in runners:
            runners = {file.late_accepted: lake.runner(late_accepted=file.late_accepted)}
        (report,) = runners[file.late_accepted].run_available()
        assert report.counts.balances
        assert all(account.balances for account in report.accounts.values())
    assert bronze(lake) == verdicts(told)
    before = lake.content()
    lake.runner().refresh()
    assert lake.content() == before
    assert_nothing_vanished(lake, told)


def assert_nothing_vanished(lake: SmallLake, told: list[Told]) -> None:
    """Of the last batch, which has it all: lines and the rows of each table, and where the rest went."""
    accounts = lake.table("batches").sort("batch")["accounts"].to_list()[-1]
    of = {account["table"]: account for account in accounts}
    assert of["volume:events"]["rows_in"] == sum(len(file.rows) for file in told)
    assert of["volume:events"]["rows_out"] == lake.table("all_events").height
    assert of["silver_order_items"]["rows_out"] == lake.table("silver_order_items").height
    assert sum(account["rows_quarantined"] for account in accounts) == lake.table("quarantine").height
    orders = lake.table("silver_order_items")["order_id"].unique().sort()
    assert lake.table("gold_order_header")["order_id"].sort().equals(orders)
    assert lake.table("gold_location_sales_hourly").select(pl.col("orders").sum()).item() == len(orders)
