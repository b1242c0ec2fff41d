from __future__ import annotations

import io
import threading
import time

import pytest
from rich.console import Console

from casper_ray.console.live import LiveWatcher
from casper_ray.console.testing import progress, summary

HIDE_CURSOR, SHOW_CURSOR = "\x1b[?25l", "\x1b[?25h"


@pytest.fixture
def terminal() -> Console:
    return Console(file=io.StringIO(), width=100, height=32, force_terminal=True, highlight=False)


def written(terminal: Console) -> str:
    assert isinstance(terminal.file, io.StringIO)
    return terminal.file.getvalue()


def test_summary_takes_the_place_of_the_view(terminal: Console) -> None:
    with LiveWatcher(terminal, time.monotonic) as watcher:
        watcher.started("casper kitchen")
        watcher.progressed(progress())
        watcher.finished(summary())
    text = written(terminal)
    assert text.rindex("What to try next") > text.rindex(SHOW_CURSOR)
    assert "Silicon Valley" in text


def test_interrupted_run_leaves_the_cursor_visible_and_no_thread(terminal: Console) -> None:
    before = set(threading.enumerate())
    watcher = LiveWatcher(terminal, time.monotonic)
    watcher.started("casper kitchen")
    watcher.progressed(progress())
    with pytest.raises(KeyboardInterrupt), watcher:
        raise KeyboardInterrupt
    assert written(terminal).rindex(SHOW_CURSOR) > written(terminal).rindex(HIDE_CURSOR)
    time.sleep(0.3)
    assert set(threading.enumerate()) <= before


def test_snapshots_are_stored_not_painted(terminal: Console) -> None:
    with LiveWatcher(terminal, time.monotonic) as watcher:
        watcher.started("casper kitchen")
        for n in range(2000):
            watcher.progressed(progress(version=n, wall_s=n / 1000))
    assert written(terminal).count("Silicon Valley") < 20


def test_resize_starts_from_an_empty_screen(terminal: Console) -> None:
    with LiveWatcher(terminal, time.monotonic) as watcher:
        watcher.started("casper kitchen")
        watcher.progressed(progress())
        terminal.width = 80
        time.sleep(0.4)
    assert "\x1b[2J" in written(terminal)
