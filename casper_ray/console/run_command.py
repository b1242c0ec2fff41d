"""Runs a command and turns what goes wrong into an exit code and one line."""

from __future__ import annotations

import os
import select
import sys
from collections.abc import Callable
from typing import TextIO

from casper_ray.console.failure import FAILED, INTERRUPTION, Failure, bug, failure_of
from casper_ray.console.json_lines import write_object
from casper_ray.console.lines import write_line


def run_command(action: Callable[[], int], *, as_json: bool = False) -> int:
    """The exit code of the action: its own, or that of the failure, which is told in one line on stderr.

    Rules: with `as_json` the failure is also the one JSON object on stdout, so an action that has printed its
    summary returns its code (130 too) rather than raise. A reader who closed our output ends the command
    without a word.
    Raises: whatever is a bug, as it came.
    """
    try:
        return action()
    except KeyboardInterrupt:
        return _told(INTERRUPTION, as_json)
    except Exception as error:
        if isinstance(error, BrokenPipeError) and _reader_left():
            return FAILED
        failure = failure_of(error)
        if failure is not None:
            return _told(failure, as_json)
        if as_json:
            write_object(sys.stdout, bug(error).as_json())
        raise


def _told(failure: Failure, as_json: bool) -> int:
    write_line(sys.stderr, failure.message if failure is INTERRUPTION else failure.line())
    if as_json:
        write_object(sys.stdout, failure.as_json())
    return failure.exit_code


def _reader_left() -> bool:
    """Whether nobody reads stdout or stderr any more. Such a stream is pointed at nothing from now on, or
    Python would complain about it once more on exit."""
    closed = [stream for stream in (sys.stdout, sys.stderr) if _is_closed_pipe(stream)]
    for stream in closed:
        nothing = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nothing, stream.fileno())
        os.close(nothing)
    return bool(closed)


def _is_closed_pipe(stream: TextIO) -> bool:
    try:
        number = stream.fileno()
    except (OSError, ValueError):
        return False
    poll = select.poll()
    poll.register(number, select.POLLOUT)
    return any(event & (select.POLLERR | select.POLLHUP) for _, event in poll.poll(0))
