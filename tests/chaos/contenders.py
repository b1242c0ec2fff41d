"""Runs that want the same pipeline: started at once, and again for as long as they are refused."""

from __future__ import annotations

import json
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import NamedTuple

from children import MEDALLION, Children, Ended
from lakes import Lake

_CHILDREN = Children(ray_address=None)
_PAUSE_S = 0.1
_LONGEST_S = 90.0


class Try(NamedTuple):
    """A run of the pipeline that ended."""

    pid: int
    ended: Ended

    @property
    def refused(self) -> bool:
        return self.ended.code == 2

    @property
    def worked(self) -> bool:
        """Whether it brought batches to their end."""
        return self.ended.code == 0 and "batch " in self.ended.out


@dataclass(slots=True, kw_only=True)
class Contender:
    """One who starts `medallion run`, and, if `patient`, again whenever it is refused."""

    lake: Lake
    patient: bool
    tries: list[Try] = field(default_factory=list)

    def contend(self, start: threading.Barrier) -> None:
        start.wait()
        deadline_s = time.monotonic() + _LONGEST_S
        while time.monotonic() < deadline_s:
            with _CHILDREN.started(*MEDALLION, "run", *self.lake.options) as running:
                self.tries.append(Try(running.process.pid, running.wait(_LONGEST_S)))
            if not (self.patient and self.tries[-1].refused):
                return
            time.sleep(_PAUSE_S)


@contextmanager
def contending(lake: Lake, count: int, *, patient: bool) -> Iterator[list[Contender]]:
    """So many contenders at once; all of them have ended where the block ends."""
    contenders = [Contender(lake=lake, patient=patient) for _ in range(count)]
    start = threading.Barrier(count)
    threads = [threading.Thread(target=contender.contend, args=(start,)) for contender in contenders]
    for thread in threads:
        thread.start()
    try:
        yield contenders
    finally:
        for thread in threads:
            thread.join()


def written_holder(lake: Lake) -> int | None:
    """The process that the lease names: its holder, or one that died holding it. Only looked at, not locked."""
    try:
        return int(json.loads((lake.state / "kitchen-pipeline.lease").read_text())["pid"])
    except (FileNotFoundError, ValueError):
        return None


def refused_while_held(lake: Lake, contenders: list[Contender], before: int | None) -> bool:
    """Hold whoever has the lease until all the others were refused, and let it go on.

    How long a batch takes, and how far apart the contenders come, is the machine's affair; with the holder stopped,
    they meet on any machine. before: a name left in the lease by somebody who died. False: the holder was not seen
    in time, and somebody else has had the lease, or nobody came.
    """

    def met() -> bool:
        refused = sum(any(one.refused for one in contender.tries) for contender in contenders)
        return refused >= len(contenders) - 1

    def too_late() -> bool:
        return any(not one.refused for contender in contenders for one in contender.tries)

    if not seen(lambda: written_holder(lake) not in (before, None) or too_late()):
        return False
    holder = written_holder(lake)
    if holder is None or holder == before or not signalled(holder, signal.SIGSTOP):
        return False
    try:
        return seen(lambda: met() or too_late()) and met()
    finally:
        signalled(holder, signal.SIGCONT)


def signalled(pid: int, number: signal.Signals) -> bool:
    """Whether there was still such a process to be signalled."""
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        return False
    return True


def seen(true: Callable[[], bool], timeout_s: float = _LONGEST_S) -> bool:
    """Whether it came true in time."""
    deadline_s = time.monotonic() + timeout_s
    while time.monotonic() < deadline_s:
        if true():
            return True
        time.sleep(0.002)
    return False
