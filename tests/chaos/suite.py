"""The chaos suite: every story, one after the other, and a table of what became of it.

python tests/chaos/suite.py [--seed N] [--only STORY …] [--json FILE]
"""

from __future__ import annotations

import argparse
import importlib
import json
import os
import random
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "end_to_end")]

from story import Outcome, Stage  # noqa: E402 - the path has to be there first

STORIES = {
    "kills": "killed at every step",
    "random_actions": "random actions against a model",
    "corruption": "corruption matrix",
    "disk_full": "disk full",
    "arrivals": "the same events, told otherwise",
    "contention": "runs contending for one pipeline",
    "nodes": "a node lost in the middle of a batch",
}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=random.randrange(1_000_000))
    parser.add_argument("--only", nargs="*", choices=sorted(STORIES), default=list(STORIES))
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    scale = "full" if os.environ.get("CHAOS_FULL") == "1" else "usual"
    print(f"chaos suite, seed {options.seed}, {scale}, {datetime.now(UTC):%Y-%m-%d %H:%M} UTC", flush=True)
    began_s = time.monotonic()
    rows = [row for name in STORIES if name in options.only for row in _play(name, options.seed, scale)]
    print(_table(rows))
    failed = [row for row in rows if not row["passed"]]
    took_s = time.monotonic() - began_s
    print(f"{len(rows) - len(failed)} of {len(rows)} as promised, {took_s:.0f} s, seed {options.seed}")
    if options.json:
        options.json.write_text(
            json.dumps({"seed": options.seed, "scale": scale, "rows": rows}, indent=1) + "\n"
        )
    return 1 if failed else 0


def _play(name: str, seed: int, scale: str) -> list[dict[str, object]]:
    """The story's outcomes as rows; a story that broke is an outcome too."""
    print(f"-- {STORIES[name]}", flush=True)
    began_s = time.monotonic()
    with tempfile.TemporaryDirectory(prefix=f"casper-chaos-{name}-") as folder:
        stage = Stage(
            folder=Path(folder), seed=seed, scale=scale, told=lambda text: print(f"   {text}", flush=True)
        )
        try:
            outcomes = importlib.import_module(name).play(stage)
        except Exception as error:
            outcomes = [
                Outcome(done="-", found=f"broke: {type(error).__name__}", passed=False, trouble=str(error))
            ]
    seconds = round(time.monotonic() - began_s, 1)
    for outcome in outcomes:
        if outcome.trouble:
            print(f"   TROUBLE {outcome.trouble}", flush=True)
    return [
        {
            "story": STORIES[name],
            "done": outcome.done,
            "found": outcome.found,
            "passed": outcome.passed,
            "figures": outcome.figures,
            "trouble": outcome.trouble,
            "seconds": seconds,
        }
        for outcome in outcomes
    ]


def _table(rows: list[dict[str, object]]) -> str:
    """The rows as Markdown, so that it can be read here and put into a page."""
    lines = ["", "| story | done | found | as promised |", "|---|---|---|---|"]
    lines += [
        f"| {row['story']} | {row['done']} | {row['found']} | {'yes' if row['passed'] else '**NO**'} |"
        for row in rows
    ]
    return "\n".join([*lines, ""])


if __name__ == "__main__":
    sys.exit(main())
