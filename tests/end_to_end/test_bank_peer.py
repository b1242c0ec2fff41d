"""The bank's tables, written once more with polars alone (`benchmarks/peers`), have the pipeline's rows: each keeps
the other true.
"""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from children import Children

pytestmark = [pytest.mark.cli, pytest.mark.ray]

BENCHMARKS = Path(__file__).resolve().parents[2] / "benchmarks"
PEERS = BENCHMARKS / "peers"


def test_two_days_of_the_bank_are_the_same_rows(children: Children, tmp_path: Path) -> None:
    volume, limit, ours = (str(tmp_path / name) for name in ("volume", "limit", "ours"))
    lake = str(tmp_path / "ours" / "bank_dev" / "retail_banking")
    for program, *arguments in (
        (BENCHMARKS / "bank_volume.py", volume, "2"),
        (PEERS / "bank_polars_limit.py", volume, limit),
        (PEERS / "ours.py", volume, ours, "--pipeline", "bank"),
    ):
        ended = children.run(sys.executable, str(program), *arguments)
        assert ended.code == 0, ended.err
    compared = children.run(sys.executable, str(PEERS / "compare.py"), limit, lake)
    assert compared.code == 0, compared.out
    assert compared.out.count(": same\n") == 14
