"""Which watcher fits the place where the run was started."""

from __future__ import annotations

import sys
import time

from casper_ray.console.json_lines import JsonWatcher
from casper_ray.console.plain import PlainWatcher
from casper_ray.console.progress import Watcher
from casper_ray.console.quiet import QuietWatcher


def build_watcher(*, quiet: bool, as_json: bool, stdout_is_terminal: bool) -> Watcher:
    """JSON if asked for; else nothing if quiet; else the live view on a terminal, plain lines elsewhere.

    JSON has its progress on stderr as plain lines, unless quiet. rich is imported for the live view only.
    """
    if as_json:
        meanwhile = QuietWatcher() if quiet else PlainWatcher(sys.stderr, time.monotonic)
        return JsonWatcher(meanwhile)
    if quiet:
        return QuietWatcher()
    if stdout_is_terminal:
        return _watcher_of_terminal()
    return PlainWatcher(sys.stdout, time.monotonic)


def _watcher_of_terminal() -> Watcher:
    """The live view, or plain lines where the terminal cannot move its cursor (TERM=dumb)."""
    from rich.console import Console

    from casper_ray.console.live import LiveWatcher

    console = Console(highlight=False)
    if not console.is_terminal or console.is_dumb_terminal:
        return PlainWatcher(sys.stdout, time.monotonic)
    return LiveWatcher(console, time.monotonic)
