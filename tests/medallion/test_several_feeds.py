"""Pipelines of several feeds: each judged by itself, one Silver of all, columns looked up and columns hidden."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import polars as pl
import pytest
from two_feeds import PIPELINE, REFERENCE

from casper_ray.errors import LakeError
from casper_ray.failpoints import arm, disarm
from casper_ray.lakehouse.names import Catalog, open_catalog
from casper_ray.lakehouse.read import scan
from casper_ray.medallion import pass_run
from casper_ray.medallion.drawing import graph_lines
from casper_ray.medallion.graph import checked_tables
from casper_ray.medallion.quality_config import resolve_quality
from casper_ray.medallion.runner import Runner, Wishes
from casper_ray.security.domains import Domain
from casper_ray.security.key_source import load_keys, rotate_keys
from casper_ray.security.keys import Purpose
from casper_ray.security.tokens import Tokeniser
from casper_ray.security.vault import Vault

IBAN = "QZ12CSPR000000000001"


def line(event: str, ts: str, units: int = 1, currency: str = "EUR", account: str = IBAN) -> bytes:
    fields = {"event_id": event, "ts": f"2024-01-{ts}:00", "account": account, "currency": currency}
    return json.dumps({**fields, "units": units}).encode() + b"\n"


@dataclass(frozen=True)
class Bank:
    catalog: Catalog

    def drop(self, feed: str, name: str, *lines: bytes) -> None:
        folder = self.catalog.volume("simulator", feed)
        folder.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(b"".join(lines))

    def rates(self, *rows: tuple[str, int, int]) -> None:
        """(currency, day of January from which it holds, rate)."""
        frame = pl.DataFrame(
            {
                "currency": [row[0] for row in rows],
                "valid_from": [datetime(2024, 1, row[1], tzinfo=UTC) for row in rows],
                "rate": [row[2] for row in rows],
            },
            schema_overrides={"valid_from": pl.Datetime("us", "UTC")},
        )
        frame.write_delta(str(self.catalog.table("simulator", "rates")), mode="append")

    def runner(self, wishes: Wishes | None = None) -> Runner:
        return Runner(REFERENCE, self.catalog, wishes)

    def run(self) -> Runner:
        runner = self.runner()
        list(runner.run_available())
        return runner

    def table(self, name: str) -> pl.DataFrame:
        return scan(self.catalog.table("s", name)).collect()

    def units(self) -> dict[str, int]:
        return dict(self.table("payments").select("event_id", "units").iter_rows())


class Crash(BaseException):
    """What nobody catches."""


def crash(runner: Runner) -> None:
    """A run that dies once its data is written and nothing is committed."""

    def die() -> None:
        raise Crash

    arm("batch.after_data", die=die)
    with pytest.raises(Crash):
        list(runner.run_available())
    disarm()


@pytest.fixture
def bank(tmp_path: Path) -> Bank:
    return Bank(open_catalog(str(tmp_path), "two"))


def test_both_feeds_come_to_one_table_and_each_to_its_own_bronze(bank: Bank) -> None:
    bank.drop("card", "a.json", line("c1", "01 10:00", 3), line("c2", "01 10:05", 4))
    bank.drop("wire", "a.json", line("w1", "01 18:00", 50))
    runner = bank.run()
    assert bank.units() == {"c1": 3, "c2": 4, "w1": 50}
    assert bank.table("card_events")["event_id"].to_list() == ["c1", "c2"]
    assert bank.table("wire_events")["event_id"].to_list() == ["w1"]
    assert sorted(runner.progress.taken) == ["card/a.json", "wire/a.json"]
    row = bank.table("batches").row(0, named=True)
    assert (row["rows_in"], row["rows_out"]) == (3, 3)


def test_each_feed_has_a_watermark_of_its_own(bank: Bank) -> None:
    """A day's wires come with the evening's cards, far behind them: late beside those, not among wires."""
    bank.drop("card", "a.json", line("c1", "02 23:59"))
    bank.drop("card", "b.json", line("c0", "02 18:00"))
    bank.drop("wire", "a.json", line("w1", "02 18:00"))
    bank.drop("wire", "b.json", line("w0", "02 17:00"), line("w1", "02 18:00"))
    runner = bank.run()
    assert bank.units().keys() == {"c1", "w1", "w0"}
    assert dict(bank.table("card_events").select("event_id", "_admission").iter_rows())["c0"] == "late"
    assert bank.table("wire_events")["_admission"].to_list() == ["admitted", "admitted", "duplicate"]
    (marks,) = bank.table("batches")["watermarks"].to_list()
    assert [(mark["source"], f"{mark['instant']:%d %H:%M}") for mark in marks] == [
        ("volume:card", "02 22:59"),
        ("volume:wire", "01 18:00"),
    ]
    assert bank.table("batches")["watermark"].to_list() == [marks[1]["instant"]]
    assert bank.runner().progress.marks_us == runner.progress.marks_us


def test_a_key_is_one_of_its_feed_alone(bank: Bank) -> None:
    bank.drop("card", "a.json", line("same", "01 10:00", 1))
    bank.drop("wire", "a.json", line("same", "01 10:00", 2))
    bank.run()
    assert sorted(bank.table("payments")["units"].to_list()) == [1, 2]


@pytest.mark.parametrize("block_bytes", [1, 1 << 20])
def test_a_new_run_remembers_each_feed(bank: Bank, block_bytes: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pass_run, "BLOCK_BYTES", block_bytes)
    bank.drop("card", "a.json", line("c1", "01 10:00", 1))
    bank.drop("wire", "a.json", line("w1", "01 10:00", 2))
    bank.run()
    bank.drop("card", "b.json", line("c1", "01 10:00", 1), line("c2", "01 10:10", 5))
    bank.drop("wire", "b.json", line("w1", "01 10:00", 2), line("w2", "01 10:10", 6))
    bank.run()
    assert bank.units() == {"c1": 1, "w1": 2, "c2": 5, "w2": 6}
    totals = bank.table("totals")
    assert totals["units"].to_list() == [14]


def test_a_rate_is_the_one_of_the_payments_instant(bank: Bank) -> None:
    bank.rates(("USD", 1, 90), ("USD", 3, 95), ("EUR", 1, 100))
    bank.drop(
        "card",
        "a.json",
        line("new", "03 00:00", currency="USD"),
        line("old", "02 23:59", currency="USD"),
        line("euro", "05 12:00", currency="EUR"),
        line("none", "05 12:00", currency="XXX"),
    )
    bank.run()
    rates = bank.table("payments").select("event_id", "rate")
    assert rates.rows() == [("new", 95), ("old", 90), ("euro", 100), ("none", None)], "in their order"


def test_rates_that_came_later_change_nothing_that_was_done(bank: Bank) -> None:
    bank.rates(("EUR", 1, 100))
    bank.drop("card", "a.json", line("c1", "02 12:00"))
    runner = bank.runner()
    crash(runner)
    bank.rates(("EUR", 2, 50))
    bank.run()
    assert bank.table("payments")["rate"].to_list() == [100], "the batch was written down before"
    bank.drop("card", "b.json", line("c2", "02 12:00"))
    bank.run()
    assert sorted(bank.table("payments")["rate"].to_list()) == [50, 100]


def test_accounts_are_tokens_and_the_vault_gives_them_back(bank: Bank) -> None:
    bank.drop("card", "a.json", line("c1", "01 10:00", account="qz12 cspr 0000 0000 0001"))
    bank.drop("wire", "a.json", line("w1", "01 10:00"))
    assert "development keys" in bank.run().warning
    keys = load_keys(bank.catalog.state)
    payments = bank.table("payments")
    assert payments["account"].to_list() == [Tokeniser(keys.ring).token(Domain.ACCOUNT, IBAN)] * 2
    opened = [Vault(keys.ring).open(Domain.ACCOUNT, text) for text in payments["account_sealed"]]
    assert sorted(opened) == sorted(["qz12 cspr 0000 0000 0001", IBAN])
    for name in ("payments", "totals"):
        for file in bank.catalog.table("s", name).rglob("*.parquet"):
            assert "CSPR" not in pl.read_parquet(file).write_csv().upper()


def test_a_batch_that_runs_again_has_the_tokens_that_it_was_begun_with(bank: Bank) -> None:
    bank.drop("card", "a.json", line("c1", "01 10:00"))
    crash(bank.runner())
    rotate_keys(bank.catalog.state, Purpose.TOKEN)
    bank.run()
    assert bank.table("payments")["account"].str.slice(0, 7).to_list() == ["acc_v1_"]
    bank.drop("card", "b.json", line("c2", "01 10:01"))
    bank.run()
    assert sorted(bank.table("payments")["account"].str.slice(0, 7)) == ["acc_v1_", "acc_v2_"]
    bank.runner().refresh()
    assert bank.table("payments")["account"].str.slice(0, 7).to_list() == ["acc_v2_", "acc_v2_"]


def test_the_graph_shows_every_feed() -> None:
    text = "\n".join(graph_lines(PIPELINE, checked_tables(PIPELINE), resolve_quality(PIPELINE)))
    assert "volume:card" in text
    assert "volume:wire" in text
    assert "payments: one row per payment" in text
    assert "reads counted_wire too" in text


def test_a_table_that_lacks_what_is_looked_up_is_named(bank: Bank) -> None:
    pl.DataFrame({"currency": ["EUR"]}).write_delta(str(bank.catalog.table("simulator", "rates")))
    bank.drop("card", "a.json", line("c1", "01 10:00"))
    with pytest.raises(LakeError, match="rates: lacks rate, valid_from"):
        bank.run()
