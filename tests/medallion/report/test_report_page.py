"""The page: whole in itself, true to its figures, and safe whatever the data says."""

from __future__ import annotations

import html
import json
import re
import time
from datetime import UTC, datetime
from html.parser import HTMLParser

import pytest
from quality_samples import Rows, account, batch, evidence, judged, refused

from casper_ray.medallion.report.evidence import Evidence
from casper_ray.medallion.report.page import MOST_RULES, Source, page

SOURCE = Source(lake=".casper/lake", catalog="caspers", made_at=datetime(2026, 1, 2, 3, 4, tzinfo=UTC))
EVIL = "<script>alert(1)</script><img src=x onerror='x'>&\"'</svg>"
VOID = {"meta", "br"}


class Elements(HTMLParser):
    """Tags and attributes of a page, and whether every tag that opens closes where it should."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: list[tuple[str, str]] = []
        self._open: list[str] = []
        self.balanced = True
        self.feed(text)
        self.balanced = self.balanced and not self._open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_startendtag(tag, attrs)
        if tag not in VOID:
            self._open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes += [(name, value or "") for name, value in attrs]

    def handle_endtag(self, tag: str) -> None:
        self.balanced = self.balanced and bool(self._open) and self._open.pop() == tag


def words(text: str) -> str:
    """What a reader sees, in one line."""
    body = re.sub(r"<style>.*?</style>", " ", text, flags=re.DOTALL)
    return " ".join(html.unescape(re.sub(r"<[^>]*>", " ", body)).split())


def sample_evidence(text: str = "price") -> Evidence:
    log: Rows = []
    for n in range(1, 6):
        log.append(
            judged(n, text, 990, 10, table=text, expression=text, owner=text, tags=[text], action=text)
        )
    log.append(judged(6, "id", 8, 2, stopped=True, expression=text, sample=json.dumps([{text: text}])))
    accounts = [account(text, 1_000, 700, 100, 50, 25, 125, table_rows=3_500)]
    batches = [batch(n, 1_000, 700, 100, 50, 25, 125, accounts=accounts) for n in range(1, 6)]
    return evidence(log, batches, [refused(1, text, reason=text), refused(2, text, rule=text, table=text)])


@pytest.fixture(scope="module")
def shown() -> str:
    return page(sample_evidence(), SOURCE)


def test_the_page_is_whole_in_itself(shown: str) -> None:
    elements = Elements(shown)
    assert elements.balanced
    assert not elements.tags & {"script", "link", "img", "iframe", "object", "use", "image", "a"}
    assert not [name for name, _ in elements.attributes if name in ("src", "href") or name.startswith("on")]
    outside = re.findall(r"https?://[^\"' )<]+", re.sub(r'xmlns(:xlink)?="[^"]*"', "", shown))
    assert outside == []
    assert "url(" not in shown
    assert "@import" not in shown


def test_the_page_forbids_every_fetch_and_script(shown: str) -> None:
    (policy,) = re.findall(r'http-equiv="Content-Security-Policy" content="([^"]*)"', shown)
    assert "default-src 'none'" in policy
    assert "script-src" not in policy


def test_the_page_says_of_what_and_when_it_is(shown: str) -> None:
    text = words(shown)
    assert "Data quality of caspers Lake .casper/lake Batches 5" in text
    assert "Simulated time 2024-01-01 01:00 to 2024-01-01 05:00 UTC Made 2026-01-02 03:04 UTC" in text


def test_key_figures_are_rows_and_their_share(shown: str) -> None:
    text = words(shown)
    assert "Rows in 5,000 read from the volume Rows out 3,500 70.0% of rows in" in text
    assert "Duplicates 500 10.0% of rows in Late 250 5.00% of rows in" in text
    assert "Dropped 125 2.50% of rows in Quarantined 625 12.5% of rows in" in text


def test_losses_of_later_steps_are_told_beside_the_key_figures() -> None:
    steps = [account("events", 10, 9, 0, 1, 0, 0), account("orders", 9, 4, 0, 0, 5, 0)]
    found = evidence([judged(1, "price", 9, 1)], [batch(1, 10, 9, 0, 1, 0, 0, accounts=steps)])
    text = words(page(found, SOURCE))
    assert "Late 1 10.0% of rows in Dropped 0 0% of rows in and 5 at later steps Quarantined 0" in text


def test_accounts_that_add_up_are_marked_so(shown: str) -> None:
    text = words(shown)
    assert "Every row is accounted for, in 1 table and 5 batches" in text
    assert "price 5,000 3,500 500 250 125 625 ✓ 5 batches 3,500" in text


def test_accounts_that_do_not_add_up_are_told_first_and_in_their_row() -> None:
    off = [account("orders", 10, 7, 0, 0, 0, 0), account("events", 10, 10, 0, 0, 0, 0, table_rows=None)]
    found = evidence([judged(1, "price", 9, 1)], [batch(1, 10, 10, 0, 0, 0, 0, accounts=off)])
    text = words(page(found, SOURCE))
    assert "Not every row is accounted for: orders ." in text
    assert "orders 10 7 0 0 0 0 ⚠ 3 rows off in 1 of 1 batch 0" in text
    assert "events 10 10 0 0 0 0 ✓ 1 batch -" in text


def test_a_rule_is_shown_with_its_figures_and_trend(shown: str) -> None:
    text = words(shown)
    assert "price of price price Sample of the last failure" in text
    assert "4,950 50 1.00% up to 1% batch 5 2024-01-01 05:00 price price" in text
    assert 'aria-label="Share of rows that failed, by batches 1 to 6"' in shown


def test_a_stopped_batch_is_shown_with_rule_and_sample(shown: str) -> None:
    text = words(shown)
    assert "Rules stopped a batch once: batch 6, by id ." in text
    assert "Stopped batches" in text
    assert "id of orders; kitchen-data price 2 price: price" in text


def test_worst_offenders_are_shown(shown: str) -> None:
    assert "price 2 price 2 , 2" not in words(shown)
    assert re.search(r"Source file Refused Why, mostly Last batch price 2 price 2 2", words(shown))


def test_without_stops_and_failures_the_page_says_so() -> None:
    text = words(page(evidence([judged(1, "price", 9, 0)]), SOURCE))
    assert "No batch was stopped by a rule." in text
    assert "No row of a committed batch failed any of 1 rule." in text
    assert "Stopped batches" not in text
    assert "never failed" in text
    assert "The quarantine is empty." in text
    assert "whether rows are missing cannot be said" in text


def test_texts_of_the_data_are_never_markup(shown: str) -> None:
    found = page(sample_evidence(EVIL), SOURCE._replace(lake=EVIL, catalog=EVIL))
    assert EVIL not in found
    assert Elements(found).tags == Elements(shown).tags
    assert Elements(found).balanced
    assert not [name for name, _ in Elements(found).attributes if name.startswith("on")]
    assert words(found).count(EVIL) >= 10


def test_many_rules_are_cut_to_those_that_fail_most() -> None:
    log = [judged(1, f"r{n:03}", 100, 1 if n == 7 else 0) for n in range(MOST_RULES + 30)]
    text = words(page(evidence(log), SOURCE))
    assert f"Shown are the {MOST_RULES} of {MOST_RULES + 30} rules that fail most." in text
    assert "r007 of orders" in text


@pytest.mark.slow
def test_a_hundred_thousand_rows_of_log_are_a_page_of_seconds_and_of_two_megabytes() -> None:
    log = [judged(n, f"rule_{r}", 990, 10) for n in range(1, 2_501) for r in range(40)]
    batches = [batch(n, 1_000, 700, 100, 50, 25, 125) for n in range(1, 2_501)]
    found = evidence(log, batches)
    started_s = time.perf_counter()
    text = page(found, SOURCE)
    assert time.perf_counter() - started_s < 15
    assert len(text.encode()) < 2_000_000
