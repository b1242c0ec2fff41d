"""Runs an agent over a catalog: what is there, or on and on as batches come."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from casper_ray.agents.stream.report import Report
from casper_ray.agents.stream.runner import AgentRunner, Setting, lease_name
from casper_ray.agents.stream.source import BatchesTail
from casper_ray.lakehouse.lease import catalog_lease

_LOOK_EVERY_S = 0.05


def run_agent(
    setting: Setting, report: Report, *, follow: bool, for_s: float | None, stop: threading.Event
) -> None:
    """Decide all that batches brought; with `follow` go on with what they bring, until `for_s` or `stop`.

    Raises: LeaseHeldError where the agent runs already; LakeError where there are no batches and none are waited for.
    """
    until_s = time.monotonic() + for_s if for_s is not None else float("inf")
    with catalog_lease(setting.catalog, lease_name(setting.agent.name)):
        tail = BatchesTail(setting.catalog)
        if follow and not _wait_for_batches(tail, until_s, stop):
            return
        runner = AgentRunner(setting)
        report.began(runner)
        while not stop.is_set():
            moved = tail.moved()
            if moved and (step := runner.step()):
                report.decided(runner, step)
            report.progressed()
            if time.monotonic() >= until_s or (not follow and not moved):
                return
            if not moved:
                stop.wait(_LOOK_EVERY_S)


@contextmanager
def stopped_by_signals() -> Iterator[threading.Event]:
    """An event that SIGINT and SIGTERM set: the micro-batch under way is committed, then it ends."""
    stop = threading.Event()

    def asked(number: int, frame: FrameType | None) -> None:
        stop.set()
        signal.signal(number, signal.default_int_handler)  # who asks twice does not want to wait

    before = {number: signal.signal(number, asked) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _wait_for_batches(tail: BatchesTail, until_s: float, stop: threading.Event) -> bool:
    while not tail.there:
        if stop.wait(_LOOK_EVERY_S) or time.monotonic() >= until_s:
            return False
    return True
