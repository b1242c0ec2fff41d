"""Ray's own `serve deploy` takes a target as `casper serve` does."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from coming_up import until
from growing_lake import GrowingLake
from other_ray import decided, operator_key, ray_head, ready, written_target

pytestmark = [pytest.mark.ray, pytest.mark.cli, pytest.mark.slow]
SERVE = str(Path(sys.executable).with_name("serve"))


def serve(*command: str, dashboard: str) -> str:
    """What Ray's command tells; it has to succeed."""
    done = subprocess.run(
        [SERVE, *command, "-a", dashboard], capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_a_target_is_deployed_decides_and_is_shut_down(tmp_path: Path, lake: GrowingLake) -> None:
    target, url = written_target(tmp_path, lake)
    key, (subject, *_) = operator_key(lake), lake.delivered()
    with ray_head(dashboard=True) as head:
        serve("deploy", str(target), dashboard=head.dashboard)
        until(head.running, lambda: ready(url))
        assert decided(url, key, subject)["case_id"] == f"order:{subject}"
        told = yaml.safe_load(serve("status", dashboard=head.dashboard))
        assert told["applications"]["casper"]["status"] == "RUNNING"
        assert {"Door", "Keeper-caspers", "Proposer-refund"} <= told["applications"]["casper"][
            "deployments"
        ].keys()
        serve("shutdown", "-y", dashboard=head.dashboard)
        until(head.running, lambda: not ready(url))
    assert lake.decisions()["case_id"].to_list() == [f"order:{subject}"]
