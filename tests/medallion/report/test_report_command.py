"""`casper quality`: what it prints, writes and refuses."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from quality_samples import PERSONAL, account, batch, judged, refused
from typer.testing import CliRunner, Result

from casper_ray.cli import app
from casper_ray.lakehouse.names import Catalog

WriteLake = Callable[..., Catalog]


@pytest.fixture
def quality(write_lake: WriteLake) -> Callable[..., Result]:
    """Runs `casper quality` on a lake of two rules, one of which failed."""
    catalog = write_lake(
        quality_log=[judged(1, "price", 11_990, 10), judged(1, "qty", 12_000, 0, tags=[], owner="")],
        batches=[batch(1, 12, 11, 0, 0, 0, 1, accounts=[account("orders", 12, 11, 0, 0, 0, 1)])],
        quarantine=[refused(1, "a.json", rule="price")],
    )
    return lambda *words: CliRunner().invoke(app, ["quality", *words, "--lake", str(catalog.lake)])


def test_show_is_a_line_a_rule(quality: Callable[..., Result]) -> None:
    told = quality("show")
    assert told.exit_code == 0
    head, price, qty = told.stdout.splitlines()
    assert re.split(r"\s{2,}", head) == [
        "rule", "table", "action", "passed", "failed", "share", "stops", "last failure", "owner", "tags",
    ]  # fmt: skip
    assert re.split(r"\s{2,}", price) == [
        "price", "orders", "warn", "11,990", "10", "0.08%", "0", "batch 1, 2024-01-01 01:00",
        "kitchen-data", "content",
    ]  # fmt: skip
    assert re.split(r"\s{2,}", qty) == ["qty", "orders", "warn", "12,000", "0", "0%", "0", "-", "-", "-"]
    assert head.index("passed") + len("passed") == price.index("11,990") + len("11,990")


def test_show_as_json_is_one_object_without_samples(quality: Callable[..., Result]) -> None:
    told = quality("show", "--json")
    price, qty = json.loads(told.stdout)["rules"]
    assert (price["rule"], price["passed"], price["failed"], price["tags"]) == (
        "price",
        11990,
        10,
        ["content"],
    )
    assert price["last_instant"] == "2024-01-01T01:00:00+00:00"
    assert (qty["share_failed"], qty["last_batch"]) == (0, None)
    assert "sample" not in price


def test_report_writes_a_page_and_says_so(quality: Callable[..., Result], tmp_path: Path) -> None:
    out = tmp_path / "made" / "page.html"
    told = quality("report", "--out", str(out))
    assert told.exit_code == 0
    assert told.stdout.startswith(f"{out}: rules 2, batches 1, ")
    text = out.read_text()
    assert text.startswith("<!DOCTYPE html>")
    assert "a.json" in text
    assert PERSONAL not in text


def test_a_report_replaces_the_one_before(quality: Callable[..., Result], tmp_path: Path) -> None:
    out = tmp_path / "page.html"
    out.write_text("before")
    assert quality("report", "--out", str(out)).exit_code == 0
    assert "before" not in out.read_text().splitlines()[0]
    assert [path.name for path in tmp_path.iterdir() if path.suffix != ""] == ["page.html"]


@pytest.mark.parametrize("name", ["", "page.html/x"])
def test_a_page_that_cannot_be_written_is_refused_in_a_line(
    quality: Callable[..., Result], tmp_path: Path, name: str
) -> None:
    (tmp_path / "page.html").write_text("a file")
    told = quality("report", "--out", str(tmp_path / name))
    assert told.exit_code == 2
    assert "cannot be written" in told.stderr
    assert told.stderr.count("\n") == 1


@pytest.mark.parametrize("command", ["show", "report"])
def test_a_lake_without_a_log_is_refused_in_a_line(
    catalog: Catalog, tmp_path: Path, command: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    told = CliRunner().invoke(app, ["quality", command, "--lake", str(catalog.lake)])
    assert told.exit_code == 2
    assert "has no quality log" in told.stderr
    assert told.stderr.count("\n") == 1
    assert not (tmp_path / "quality.html").exists()
