"""Lines in the volume that are no events: counted, kept with their reason, told of, and in nobody's way."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from children import SIM, Children
from lakes import MIDNIGHT, Lake
from recompute import assert_batches_add_up, assert_tables_match

pytestmark = [pytest.mark.ray, pytest.mark.cli]

BAD = (b"this is no JSON", b'{"event_id": "half', b"[1, 2]", b'{"event_id": "e", "order_id": "O"}')


def test_lines_that_are_no_events_are_counted_kept_and_told_of(
    children: Children, lake: Lake, foreign_orders: Callable[[int], bytes]
) -> None:
    lake.volume.mkdir(parents=True)
    (lake.volume / "theirs.json").write_bytes(foreign_orders(2) + b"\n".join(BAD) + b"\n")
    (lake.volume / "picture.json").write_bytes(b"\x89PNG\r\n\x1a\n\x00\xff")
    when = ("--speed", "max", "--from", MIDNIGHT, "--until-day", "0.5")
    ended = children.run(*SIM, *lake.options, *when)
    assert ended.code == 0, ended.err
    kept = lake.table("quarantine")
    of_theirs = kept.filter(kept["source_file"] == "theirs.json")
    assert set(of_theirs["line"]) == {line.decode() for line in BAD}
    assert of_theirs["reason"].str.len_chars().min() > 0
    of_picture = kept.height - of_theirs.height
    assert of_picture >= 1
    assert f"{kept.height} rejected (the reasons are in the quarantine table)" in ended.out
    assert lake.table("all_events")["_source_file"].is_in(["theirs.json"]).sum() == 2
    assert_tables_match(lake)
    assert_batches_add_up(lake)
