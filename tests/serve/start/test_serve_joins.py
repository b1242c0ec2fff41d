"""`casper serve` on a Ray that runs already: it joins, decides, ends its application, and leaves that Ray up."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest
from children import CASPER, Children
from coming_up import until
from growing_lake import GrowingLake
from other_ray import OPEN, decided, operator_key, ray_head, ready, written_target

pytestmark = [pytest.mark.ray, pytest.mark.cli, pytest.mark.slow]


def test_joins_decides_and_leaves_ray_running(tmp_path: Path, lake: GrowingLake) -> None:
    target, url = written_target(tmp_path, lake)
    key, subjects = operator_key(lake), lake.delivered()
    with ray_head() as head:
        children, joining = Children(ray_address=None), OPEN | {"RAY_ADDRESS": head.address}
        for subject in subjects[:2]:  # the second start finds what the first one left
            with children.started(*CASPER, "serve", "-t", str(target), "--json", env=joining) as running:
                until(running, lambda: ready(url))
                assert decided(url, key, subject)["case_id"] == f"order:{subject}"
                assert decided(url, key, subjects[0])["case_id"] == f"order:{subjects[0]}"
                running.signal(signal.SIGTERM)
                ended = running.wait()
            assert (ended.code, ended.summary["ended"]) == (0, "asked to end"), ended.err
            assert "Traceback" not in ended.err
            assert not ready(url)
            assert head.running.process.poll() is None
    assert lake.decisions().height == 2
