"""Who is told of a run: a terminal in one line that changes, a pipe in plain lines, or nobody."""

from __future__ import annotations

import sys
from contextlib import AbstractContextManager
from types import TracebackType
from typing import TYPE_CHECKING, Protocol, Self

from casper_ray.console.lines import write_line

if TYPE_CHECKING:
    from rich.console import Console


class Teller(AbstractContextManager["Teller"], Protocol):
    """Shown `progress` every `every_s`, which may be overwritten, and each `line` for good."""

    every_s: float

    def progress(self, text: str) -> None: ...

    def line(self, text: str) -> None: ...


class PlainTeller:
    """Lines on stdout, or on stderr."""

    every_s = 2.0

    def __init__(self, *, stderr: bool) -> None:
        self._out = sys.stderr if stderr else sys.stdout

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        pass

    def progress(self, text: str) -> None:
        write_line(self._out, text)

    def line(self, text: str) -> None:
        write_line(self._out, text)


class QuietTeller(PlainTeller):
    """Says nothing."""

    every_s = float("inf")

    def __init__(self) -> None:
        super().__init__(stderr=True)

    def line(self, text: str) -> None:
        pass


class LiveTeller:
    """Progress in one line of a terminal, in place; the rest above it."""

    every_s = 0.25

    def __init__(self, console: Console) -> None:
        self._console = console
        self._status = console.status("starting")

    def __enter__(self) -> Self:
        self._status.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._status.stop()

    def progress(self, text: str) -> None:
        self._status.update(text)

    def line(self, text: str) -> None:
        self._console.print(text, soft_wrap=True, markup=False)


def build_teller(*, quiet: bool, as_json: bool) -> Teller:
    """Quiet if asked for; the live line on a terminal; plain lines elsewhere, on stderr beside JSON."""
    if quiet:
        return QuietTeller()
    if as_json or not sys.stdout.isatty():
        return PlainTeller(stderr=as_json)
    from rich.console import Console

    console = Console(highlight=False)
    return PlainTeller(stderr=False) if console.is_dumb_terminal else LiveTeller(console)
