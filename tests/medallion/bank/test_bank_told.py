"""Silver of a small world against what its lines say, worked out another way."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import polars as pl
from small_bank import SmallBank
from told_bank import DAYS, fill, personal_texts, small_world

from casper_ray.medallion.bank.pipeline import PIPELINE


def test_silver_is_what_the_lines_say(bank_lake: SmallBank, silver: dict[str, dict[str, Any]]) -> None:
    found = bank_lake.transactions()
    assert bank_lake.table("quarantine").height == 0
    assert found.keys() == silver.keys()
    assert len(found) > 800
    for key, row in silver.items():
        assert {name: found[key][name] for name in row} == row


def test_amounts_in_the_base_currency_are_the_truth_of_every_transaction(bank_lake: SmallBank) -> None:
    world = small_world()
    truth = pl.concat([world.truth_transactions(day) for day in range(DAYS)])
    said = bank_lake.table("silver_transactions")
    both = truth.join(said, on="transaction_id", how="full", suffix="_said")
    assert both.filter(~pl.col("amount_base").eq_missing(pl.col("amount_base_said"))).is_empty()
    assert (both["ts"].dt.date() == both["txn_day"]).all()
    over_night = bank_lake.table("card_events").filter(
        pl.col("event_type") == "transaction_settled",
        pl.col("ts").str.head(10) > pl.col("initiated_ts").str.head(10),
        pl.col("currency") != "EUR",
    )
    assert over_night.height, "some are settled on a day of another rate"


def test_the_world_tries_what_the_tables_are_for(silver: dict[str, dict[str, Any]]) -> None:
    rows = list(silver.values())
    assert {row["feed"] for row in rows} == {"card", "atm", "wire"}
    assert {row["status"] for row in rows} == {"posted", "declined"}
    assert {"purchase", "withdrawal", "transfer_out", "transfer_in", "reversal"} <= {
        row["transaction_type"] for row in rows
    }
    assert len({row["fx_rate"] for row in rows}) > 5
    assert any(row["internal"] for row in rows)


def test_it_does_not_matter_how_the_batches_were_cut_nor_how_often(
    bank_lake: SmallBank, tmp_path: Path
) -> None:
    at_once = fill(tmp_path, small_world(), at_once=True, keys_of=bank_lake)
    assert at_once.table("batches").height < bank_lake.table("batches").height
    assert differing(at_once, bank_lake) == []
    at_once.runner().refresh()
    assert differing(at_once, bank_lake) == [], "after every table was made anew"


def differing(one: SmallBank, other: SmallBank) -> list[str]:
    """Tables of Silver and Gold whose rows are not the same."""
    names = [table.name for table in PIPELINE.tables if table.name.startswith(("silver_", "gold_"))]
    kept = [name for name in names if (one.catalog.root / "retail_banking" / name).exists()]
    return [name for name in kept if not in_order(one.table(name)).equals(in_order(other.table(name)))]


def in_order(rows: pl.DataFrame) -> pl.DataFrame:
    return rows.sort([name for name, dtype in rows.schema.items() if dtype != pl.List(pl.String)])


def test_customers_are_all_there_and_complete(bank_lake: SmallBank) -> None:
    customers = bank_lake.table("silver_customers")
    assert customers["customer_id"].n_unique() == 120
    assert customers["complete"].all()
    current = customers.filter("is_current")
    assert current["customer_id"].is_unique().all()
    ours = set(current["account_token"]) | set(current["credit_account_token"].drop_nulls())
    assert set(bank_lake.table("silver_transactions")["account_token"]) <= ours, "an account says whose it is"


def test_nothing_personal_above_bronze(bank_lake: SmallBank) -> None:
    """No account, card, name, street, phone, birth date or device in any text of any file, nor in any log."""
    personal = personal_texts(bank_lake)
    assert len(personal) > 500
    root = bank_lake.catalog.root / "retail_banking"
    bronze = {"card_events", "atm_events", "wire_events", "customer_cdc"}
    checked = set()
    for path in root.rglob("*"):
        table = path.relative_to(root).parts[0]
        if path.is_dir() or (table in bronze and path.suffix == ".parquet"):
            continue
        checked.add(table)
        text = _texts(path)
        leaked = [what for what in personal if what in text]
        assert not leaked, f"{len(leaked)} in {table}"
    assert len(checked) > 15
    received = "".join(map(_texts, root.glob("customer_cdc/*.parquet")))
    assert any(what in received for what in personal), "the search finds what is there"


def _texts(path: Path) -> str:
    """Everything that is text in a file."""
    if path.suffix != ".parquet":
        return path.read_bytes().decode(errors="replace")
    frame = pl.read_parquet(path, hive_partitioning=False)
    lists = [name for name, dtype in frame.schema.items() if dtype == pl.List(pl.String)]
    flat = frame.with_columns(pl.col(lists).list.join(" ")) if lists else frame
    texts = flat.select(pl.col(pl.String)).unique()
    return "\n".join(value or "" for column in texts.iter_columns() for value in column)
