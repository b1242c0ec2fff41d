"""What becomes of requests when parts of the served application are killed under load.

    python benchmarks/serve/kills.py LAKE [--rate 200] [--kills 5] [--gap 20s] [--kinds door proposer keeper]
                                     [--json benchmarks/results/serve-kills.json]

Serves a copy of a kitchen's lake on a free port, asks for a decision on another order every 1/rate s whether the ones
before were answered or not, and kills one process of a kind (SIGKILL) every `gap`. The client tries nothing again.
Afterwards the tables are read: decided twice, and lost after their 200.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import shutil
import sys
import tempfile
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple

from served import Served, cases_of, serving
from steady_load import Asked, steadily

from casper_ray.lakehouse.names import Catalog, existing_catalog
from casper_ray.lakehouse.read import scan

KINDS = {"door": "Door", "proposer": "Proposer-refund", "keeper": "Keeper-caspers"}
"""Of parts, and the deployments' names."""
_SETTLE_S = 5.0


class Kill(NamedTuple):
    """at: seconds of the load's clock."""

    kind: str
    at: float


class Fate(NamedTuple):
    """What became of the requests from a kill to the next. recovery_s: to the end of the last one that failed.
    statuses: 0: the connection broke.
    """

    kind: str
    requests: int
    errors: int
    recovery_s: float
    slowest_s: float
    statuses: Counter[int]


def main() -> int:
    options = _options()
    with tempfile.TemporaryDirectory(prefix="casper-kills-") as folder:
        lake = Path(folder) / "lake"
        shutil.copytree(options.lake, lake)
        catalog = existing_catalog(str(lake), "caspers")
        with serving(lake, Path(folder)) as served:
            plan = [kind for kind in options.kinds for _ in range(options.kills)]
            asked, kills = asyncio.run(_under_fire(served, plan, cases_of(catalog), options))
        found = _report(asked, kills, catalog) | {
            "rate_per_s": options.rate,
            "at": datetime.now(UTC).isoformat(timespec="seconds"),
        }
    print(_table(found))
    if options.json:
        options.json.write_text(json.dumps(found, indent=1) + "\n")
    return 1 if found["twice"] or found["lost"] else 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("lake", type=Path)
    parser.add_argument("--rate", type=float, default=200.0, help="requests a second")
    parser.add_argument("--kills", type=int, default=5, help="of each kind")
    parser.add_argument("--gap", type=float, default=20.0, help="seconds from a kill to the next")
    parser.add_argument("--kinds", nargs="*", choices=sorted(KINDS), default=list(KINDS))
    parser.add_argument("--json", type=Path)
    return parser.parse_args()


async def _under_fire(
    served: Served, plan: Sequence[str], subjects: Sequence[str], options: argparse.Namespace
) -> tuple[list[Asked], list[Kill]]:
    """Load for as long as the kills last, and a while before and after."""
    seconds = 2 * _SETTLE_S + len(plan) * options.gap
    if len(subjects) < seconds * options.rate:
        sys.exit(f"{len(subjects)} cases for {seconds * options.rate:.0f} requests: simulate more days")
    began = asyncio.get_running_loop().time()
    load = asyncio.create_task(steadily(served.url, served.key, subjects, options.rate, seconds))
    kills = []
    await asyncio.sleep(_SETTLE_S)
    for kind in plan:
        served.kill(random.choice(served.processes(KINDS[kind])))
        kills.append(Kill(kind, asyncio.get_running_loop().time() - began))
        await asyncio.sleep(options.gap)
    return await load, kills


def _fates(asked: Sequence[Asked], kills: Sequence[Kill]) -> list[Fate]:
    ends = [kill.at for kill in kills[1:]] + [float("inf")]
    return [
        _fate(kill, [one for one in asked if kill.at <= one.ended < end])
        for kill, end in zip(kills, ends, strict=True)
    ]


def _fate(kill: Kill, asked: Sequence[Asked]) -> Fate:
    failed = [one.ended - kill.at for one in asked if one.status != 200]
    slowest = max((one.ended - one.sent for one in asked), default=0.0)
    statuses = Counter(one.status for one in asked)
    return Fate(kill.kind, len(asked), len(failed), max(failed, default=0.0), slowest, statuses)


def _report(asked: Sequence[Asked], kills: Sequence[Kill], catalog: Catalog) -> dict[str, Any]:
    """All of it, with what the tables say afterwards."""
    rows = (
        scan(catalog.table("agents", "decisions")).select("decision_id", "case_id", "agent_version").collect()
    )
    kept = set(rows["decision_id"])
    fates = _fates(asked, kills)
    first = kills[0].at if kills else float("inf")
    before = [one for one in asked if one.ended < first]
    return {
        "requests": len(asked),
        "errors": sum(one.status != 200 for one in asked),
        "errors_before_the_first_kill": sum(one.status != 200 for one in before),
        "twice": rows.height - rows.unique(["case_id", "agent_version"]).height,
        "lost": sum(one.decision_id not in kept for one in asked if one.status == 200),
        "kinds": {
            kind: _kind([fate for fate in fates if fate.kind == kind]) for kind in {k.kind for k in kills}
        },
    }


def _kind(fates: Sequence[Fate]) -> dict[str, Any]:
    requests, errors = sum(fate.requests for fate in fates), sum(fate.errors for fate in fates)
    return {
        "kills": len(fates),
        "requests": requests,
        "errors": errors,
        "error_share": round(errors / max(1, requests), 5),
        "recovery_p50_s": round(median(fate.recovery_s for fate in fates), 2),
        "recovery_max_s": round(max(fate.recovery_s for fate in fates), 2),
        "slowest_s": round(max(fate.slowest_s for fate in fates), 2),
        "statuses": dict(sum((fate.statuses for fate in fates), Counter())),
    }


def _table(found: dict[str, Any]) -> str:
    columns = ("kills", "requests", "errors", "error_share", "recovery_p50_s", "recovery_max_s", "slowest_s")
    lines = [f"| killed | {' | '.join(columns)} |", "|---" * (len(columns) + 1) + "|"]
    for kind, figures in sorted(found["kinds"].items()):
        lines.append(f"| {kind} | {' | '.join(str(figures[name]) for name in columns)} |")
    said = f"{found['requests']} requests, decided twice: {found['twice']}, lost after their 200: {found['lost']}"
    return "\n".join([*lines, said])


if __name__ == "__main__":
    sys.exit(main())
