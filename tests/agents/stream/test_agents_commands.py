"""`casper agents` and `casper decision`, as a person runs them."""

from __future__ import annotations

import json
import signal
from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import polars as pl
import pytest
from children import Children, Ended, wait_until
from deltalake import write_deltalake
from growing_lake import WINDOWS, GrowingLake, line, window_of
from typer.testing import CliRunner

from casper_ray.agents.engines.build import build_engine
from casper_ray.agents.engines.cascade import Cascade
from casper_ray.agents.engines.settings import EngineSettings
from casper_ray.agents.stream.runner import AgentRunner
from casper_ray.cli import app
from casper_ray.lakehouse.read import scan

Casper = Callable[..., Ended]


@pytest.fixture
def casper() -> Casper:
    """`casper …`, run in this process."""

    def run(*arguments: str) -> Ended:
        ended = CliRunner().invoke(app, arguments)
        if ended.exception and not isinstance(ended.exception, SystemExit):
            raise ended.exception
        return Ended(ended.exit_code, ended.stdout, ended.stderr)

    return run


def assert_one_line(ended: Ended, *parts: str) -> None:
    assert ended.code == 2, ended
    (said,) = ended.err.splitlines()
    assert said.startswith("error: ")
    for part in parts:
        assert part in said


def test_a_run_sums_up_what_it_decided(casper: Casper, lake: GrowingLake) -> None:
    ended = casper("agents", "run", "--agent", "refund", *lake.options, "--json")
    assert ended.code == 0, ended.err
    found, summary = lake.decisions(), ended.summary
    assert summary["cases"] == found.height == len(lake.delivered())
    assert summary["outcomes"] == dict(found.group_by("outcome").len().sort("outcome").iter_rows())
    assert summary["gate"] == dict(found.group_by("gate_action").len().sort("gate_action").iter_rows())
    assert Decimal(summary["money"]) == found["amount"].sum()
    assert (summary["agent"], summary["version"]) == ("refund", found["agent_version"][0])
    assert summary["cursor"] == WINDOWS
    again = casper("agents", "run", "--agent", "refund", *lake.options)
    assert again.code == 0
    assert "cases      0 in 0 micro-batches" in again.out


@pytest.mark.cli
def test_following_takes_up_what_comes_and_ends_when_asked(
    agents_children: Children, commands: Callable[..., tuple[str, ...]], lake: GrowingLake
) -> None:
    follow = commands("agents", "run", "--agent", "refund", "--follow", *lake.options, "--json")
    with agents_children.started(*follow) as running:
        table = lake.catalog.table("agents", "decisions")
        wait_until(lambda: (table / "_delta_log" / f"{1:020d}.json").exists(), "the backlog is decided")
        lake.grow(WINDOWS)
        wait_until(lambda: (table / "_delta_log" / f"{2:020d}.json").exists(), "the new batch is decided")
        running.signal(signal.SIGTERM)
        ended = running.wait()
    assert ended.code == 130
    assert ended.summary["micro_batches"] == 2
    assert ended.summary["cursor"] == WINDOWS + 1
    assert 0 < ended.summary["lag_ms"]["p95"] < 60_000
    assert sorted(lake.decisions()["pays_for"]) == lake.delivered()


def test_one_order_is_decided_as_the_stream_does_and_not_kept(casper: Casper, decided: GrowingLake) -> None:
    row = decided.decisions().filter(pl.col("outcome") == "full").row(0, named=True)
    before = decided.version()
    ended = casper(
        "agents", "decide", "--agent", "refund", "--order", row["pays_for"], *decided.options, "--json"
    )
    assert ended.code == 0, ended.err
    made = ended.summary
    assert made["committed"] is False
    for name in ("decision_id", "gate_action", "outcome", "idempotency_key"):
        assert made["decision"][name] == row[name]
    assert made["decision"]["inputs"] == json.loads(row["inputs"])
    assert made["decision"]["amount"] == str(row["amount"])
    assert made["evidence"]["get_order_timing"]["status"] == "delivered"
    assert made["evidence"]["get_location_timings"]["deliveries"] >= 20
    assert decided.version() == before


def test_an_order_that_was_committed_by_itself_is_passed_over_by_the_stream(
    casper: Casper, lake: GrowingLake
) -> None:
    order = lake.delivered()[5]
    decide = ("agents", "decide", "--agent", "refund", "--order", order, "--commit", *lake.options)
    assert casper(*decide).code == 0
    assert_one_line(casper(*decide), f"order:{order}: was decided before")
    assert lake.runner().step()
    assert sorted(lake.decisions()["pays_for"]) == lake.delivered()


def test_orders_that_cannot_be_decided_say_so(casper: Casper, lake: GrowingLake) -> None:
    start = window_of(WINDOWS).from_us
    body = {"customer_addr": "1 Quay St", "items": []}
    lake.grow(WINDOWS, line("u1", "order_created", start + 1_000, "ONTHEWAY", **body))
    decide = ("agents", "decide", "--agent", "refund", *lake.options)
    assert_one_line(casper(*decide, "--order", "NOSUCH"), "'NOSUCH'", "there is none")
    assert_one_line(casper(*decide, "--order", "ONTHEWAY"), "'ONTHEWAY'", "in_progress")
    assert_one_line(casper(*decide), "--order", "give one of them")
    events = scan(lake.catalog.table("lakeflow", "all_events")).select("order_id", "location_id").collect()
    order = lake.delivered()[0]
    here = events.filter(pl.col("order_id") == order)["location_id"][0]
    assert casper(*decide, "--order", order, "--location", str(here)).code == 0
    elsewhere = casper(*decide, "--order", order, "--location", str(here + 1))
    assert_one_line(elsewhere, f"'{order}'", "there is none")
    assert not (lake.catalog.root / "agents").exists()


def test_a_decision_is_shown_and_comes_out_the_same_again(casper: Casper, decided: GrowingLake) -> None:
    paying = decided.decisions().filter(pl.col("amount") > 0)
    row = paying.sort("case_ts").row(-1, named=True)
    shown = casper("decision", "show", row["decision_id"], *decided.options, "--json")
    assert shown.code == 0, shown.err
    assert shown.summary["case_id"] == row["case_id"]
    assert shown.summary["proposal"] == json.loads(row["proposal"])
    again = casper("decision", "replay", row["decision_id"], *decided.options, "--json")
    assert again.code == 0, again
    assert (again.summary["equal"], again.summary["same_inputs"]) == (True, True)
    assert_one_line(casper("decision", "show", "0123456789", *decided.options), "there is none")


def test_a_replay_tells_what_was_tampered_with(casper: Casper, lake: GrowingLake) -> None:
    """The same row with another amount and another digest of its evidence, in its place."""
    assert lake.runner().step()
    path, rows = lake.catalog.table("agents", "decisions"), lake.decisions()
    row = rows.filter(pl.col("amount") > 0).row(0, named=True)
    ours = pl.col("decision_id") == row["decision_id"]
    evidence = json.loads(row["inputs"])["evidence"]
    tampered = rows.with_columns(
        pl.when(ours).then(pl.lit("99.99").cast(pl.Decimal(18, 2))).otherwise("amount").alias("amount"),
        pl.when(ours)
        .then(pl.col("inputs").str.replace(evidence, "0" * 64, literal=True))
        .otherwise("inputs")
        .alias("inputs"),
    )
    write_deltalake(str(path), tampered.to_arrow(compat_level=pl.CompatLevel.oldest()), mode="overwrite")
    again = casper("decision", "replay", row["decision_id"], *lake.options, "--json")
    assert again.code == 1
    assert again.summary["same_inputs"] is False
    assert set(again.summary["differing"]) == {"amount", "inputs"}
    assert again.summary["differing"]["amount"] == ["99.99", str(row["amount"])]


def test_what_the_policy_answered_within_a_cascade_comes_out_the_same_again(
    casper: Casper, lake: GrowingLake, tmp_path: Path
) -> None:
    """Without the model: it was not asked then, and is not now."""
    nobody = EngineSettings(recordings=tmp_path / "nothing", model="nobody")
    cascade = Cascade(then=build_engine("recorded", nobody))
    assert AgentRunner(replace(lake.setting, engine=cascade)).step()
    paying = lake.decisions().filter(pl.col("amount") > 0).sort("case_ts")
    row = paying.row(-1, named=True)
    assert row["engine"] == "policy"
    again = casper("decision", "replay", row["decision_id"], *lake.options, "--json")
    assert again.code == 0, again
    assert again.summary["same_version"] is True
    path, rows = lake.catalog.table("agents", "decisions"), lake.decisions()
    ours = pl.col("decision_id") == row["decision_id"]
    less = pl.when(ours).then(pl.lit("0.01").cast(pl.Decimal(18, 2))).otherwise("amount").alias("amount")
    tampered = rows.with_columns(less)
    write_deltalake(str(path), tampered.to_arrow(compat_level=pl.CompatLevel.oldest()), mode="overwrite")
    other = casper("decision", "replay", row["decision_id"], *lake.options, "--json")
    assert (other.code, set(other.summary["differing"])) == (1, {"amount"})


def test_an_agent_is_switched_off_and_on(casper: Casper, lake: GrowingLake) -> None:
    assert casper("agents", "off", "refund", *lake.options).code == 0
    listed = casper("agents", "ls", *lake.options, "--json").summary["agents"]
    (refund,) = (agent for agent in listed if agent["agent"] == "refund")
    assert refund["off"] is True
    assert "get_order_timing" in refund["tools"]
    ended = casper("agents", "run", "--agent", "refund", *lake.options, "--json")
    assert set(ended.summary["outcomes"]) == {"kill_switch"}
    assert ended.summary["money"] == "0.00"
    assert casper("decision", "replay", f"order:{lake.delivered()[0]}", *lake.options).code == 0
    assert casper("agents", "on", "refund", *lake.options).code == 0
    listed = casper("agents", "ls", *lake.options)
    assert " on " in next(text for text in listed.out.splitlines() if text.startswith("refund"))


def test_what_cannot_be_run_says_so_in_one_line(casper: Casper, lake: GrowingLake) -> None:
    run = ("agents", "run", *lake.options)
    assert_one_line(casper(*run, "--agent", "nobody"), "'nobody'", "refund")
    assert_one_line(casper(*run, "--agent", "refund", "--engine", "oracle"), "engine", "'oracle'")
    assert_one_line(casper(*run, "--agent", "refund", "--for", "5s"), "--for", "--follow")
    assert_one_line(casper(*run, "--agent", "refund", "--follow", "--for", "soon"), "--for", "'soon'")
    nowhere = ("--lake", str(lake.catalog.lake.with_name("nowhere")))
    assert_one_line(casper("agents", "run", "--agent", "refund", *nowhere), "no catalog")
    assert_one_line(casper("decision", "show", "x", *lake.options), "nothing was decided yet")
