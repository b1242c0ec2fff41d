"""The README's pictures, from real runs: `make picture`.

    python docs/images/record.py docs/images/live.svg kitchen
    python docs/images/record.py docs/images/bank.svg bank

Runs the main job on a lake of its own for some seconds of live replay, and draws the last snapshot as the live
view showed it.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path
from types import TracebackType
from typing import Self

from casper_ray.config import load_environment
from casper_ray.console.picture import picture
from casper_ray.console.progress import Progress, Summary
from casper_ray.main_job.job import run_job
from casper_ray.main_job.options import checked_options


class Recorder:
    """A watcher that keeps what it was told."""

    def __init__(self) -> None:
        self.title = ""
        self.snapshots: list[Progress] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        pass

    def started(self, title: str) -> None:
        self.title = title

    def progressed(self, progress: Progress) -> None:
        if progress.phase == "live":
            self.snapshots.append(progress)

    def noted(self, text: str) -> None:
        pass

    def finished(self, summary: Summary) -> None:
        pass


HEIGHTS = {"kitchen": 27, "bank": 47}
"""Lines that the view takes, by domain."""


def main() -> None:
    out, domain = sys.argv[1:]
    recorder = Recorder()
    with tempfile.TemporaryDirectory() as lake:
        options = checked_options(
            domain=domain,
            speed="3600",
            lake=lake,
            catalog=None,
            seed=None,
            days=None,
            start_day=None,
            for_="20s",
            until_day=None,
            trigger="continuous",
            tick="1s",
            scenario=None,
            loop=False,
            anchor=None,
            start_from=None,
            pipeline=True,
        )
        run_job(options, load_environment(), recorder)
    Path(out).write_text(picture(recorder.snapshots, recorder.title, width=100, height=HEIGHTS[domain]))


if __name__ == "__main__":
    main()
