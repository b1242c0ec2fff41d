"""A bank with every fault in its feeds: no account, card, name, street or phone leaves Bronze, in whatever a run
leaves or says. The quarantine holds lines as they came, so it is as confidential as Bronze.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import polars as pl
import pytest
from children import CASPER, SIM, Children

pytestmark = [pytest.mark.cli, pytest.mark.ray]

RAW = {"card_events", "atm_events", "wire_events", "customer_cdc", "quarantine"}
SCENARIO = """
customers: 400
"""


def personal_texts(volumes: Path) -> set[str]:
    """What the lines that can be read say of people."""
    found: set[str] = set()
    for path in volumes.rglob("*.json"):
        for line in path.read_bytes().split(b"\n"):
            try:
                event = json.loads(line)
            except ValueError:
                continue
            if isinstance(event, dict):
                found |= set(_of_an_event(event))
    return {text for text in found if len(text) > 6}


def _of_an_event(event: dict[str, object]) -> Iterator[str]:
    for name in ("account_number", "pan", "payer_name", "payer_account", "payee_name", "payee_account"):
        if isinstance(value := event.get(name), str):
            yield value
    for side in ("before", "after"):
        row = event.get(side)
        if isinstance(row, dict):
            yield from (str(row[name]) for name in ("account_number", "street", "phone") if row.get(name))
            yield f"{row.get('given_name')} {row.get('family_name')}"


def texts(path: Path) -> str:
    if path.suffix != ".parquet":
        return path.read_bytes().decode(errors="replace")
    frame = pl.read_parquet(path, hive_partitioning=False)
    return "\n".join(json.dumps(row, default=str, ensure_ascii=False) for row in frame.iter_rows(named=True))


def test_nothing_personal_is_left_or_said_above_bronze(children: Children, tmp_path: Path) -> None:
    scenario, lake = tmp_path / "small.yml", tmp_path / "lake"
    scenario.write_text(SCENARIO)
    where = ("--lake", str(lake), "--catalog", "bank_dev")
    story = ("--domain", "bank", "--scenario", f"{scenario}+all_faults")
    said = [children.run(*SIM, *story, *where, "--speed", "max", "--until-day", "3")]
    said += [
        children.run(*CASPER, "quality", "show", *where),
        children.run(*CASPER, "quality", "report", *where, "--out", str(tmp_path / "quality.html")),
        children.run(*CASPER, "lake", "show", "batches", *where),
        children.run(*CASPER, "lake", "fsck", "--deep", *where),
    ]
    assert [ended.code for ended in said] == [0] * len(said), [ended.err for ended in said]
    root = lake / "bank_dev"
    personal = personal_texts(root / "simulator" / "_volumes")
    assert len(personal) > 2_000
    searched = {f"output {number}": ended.out + ended.err for number, ended in enumerate(said)}
    searched["report"] = (tmp_path / "quality.html").read_text()
    for path in (root / "retail_banking").rglob("*"):
        table = path.relative_to(root / "retail_banking").parts[0]
        if path.is_file() and (table not in RAW or "_delta_log" in path.parts):
            searched[str(path)] = texts(path)
    assert len(searched) > 50
    for place, text in searched.items():
        leaked = [what for what in personal if what in text]
        assert not leaked, f"{len(leaked)} in {place}"
    assert pl.read_delta(str(root / "retail_banking" / "quality_log"))["failed"].sum() > 0, (
        "rules had samples"
    )
