"""One JSON object on stdout when the run ends (--json); what happens meanwhile goes to another watcher."""

from __future__ import annotations

import json
import sys
from contextlib import ExitStack, redirect_stdout
from types import TracebackType
from typing import Any, Self, TextIO

from casper_ray.console.lines import write_line
from casper_ray.console.progress import Progress, Summary, Watcher


class JsonWatcher:
    """Keeps stdout for the object: whatever else prints while the run goes ends up on stderr.

    `meanwhile`: told of progress and notes; must not write to stdout.
    """

    def __init__(self, meanwhile: Watcher) -> None:
        self._meanwhile = meanwhile
        self._out: TextIO = sys.stdout
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        self._out = sys.stdout
        self._stack.enter_context(redirect_stdout(sys.stderr))
        self._stack.enter_context(self._meanwhile)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.__exit__(kind, error, trace)

    def started(self, title: str) -> None:
        self._meanwhile.started(title)

    def progressed(self, progress: Progress) -> None:
        self._meanwhile.progressed(progress)

    def noted(self, text: str) -> None:
        self._meanwhile.noted(text)

    def finished(self, summary: Summary) -> None:
        write_object(self._out, summary.as_json())


def write_object(out: TextIO, value: dict[str, Any]) -> None:
    """One line of JSON, ASCII only, so that any stream can carry it."""
    write_line(out, json.dumps(value, allow_nan=False))
