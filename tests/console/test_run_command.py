from __future__ import annotations

import errno
import json
import subprocess
import sys
from collections.abc import Callable

import pytest

from casper_ray.console.run_command import run_command
from casper_ray.errors import (
    CommitConflictError,
    ConfigError,
    LeaseHeldError,
    RetryLater,
    SchemaError,
    UserError,
)


class DeltaError(Exception):
    """Stands for delta-rs's error, which knows no errno."""


class RayTaskError(Exception):
    """Stands for Ray's wrapper: an instance of the cause's class too, with a traceback as its text."""

    def __init__(self, cause: Exception) -> None:
        super().__init__("Traceback of a worker")
        self.cause = cause


class RayTaskErrorOfUserError(RayTaskError, UserError):
    """What Ray makes of a UserError."""

    def __str__(self) -> str:
        return "Traceback of a worker\nmany lines"


def raising(error: BaseException) -> Callable[[], int]:
    def action() -> int:
        raise error

    return action


DISK_FULL = OSError(errno.ENOSPC, "No space left on device", "/lake/x.parquet")
DELTA_FULL = DeltaError("Unable to copy data to file:\nNo space left on device (os error 28)")
DELTA_REFUSED = DeltaError('Could not create: Os { code: 13, kind: PermissionDenied, message: "x" }')
REFUSED = PermissionError(errno.EACCES, "Permission denied", "/lake")
READ_ONLY = OSError(errno.EROFS, "Read-only file system", "/lake")
FAILURES = [
    (
        UserError("bad --speed: saw x", "give a number or max"),
        2,
        "error: bad --speed: saw x. Hint: give a number",
    ),
    (ConfigError.unknown_keys("replay", {"spede"}, {"speed"}), 2, "error: replay: unknown keys ['spede']"),
    (LeaseHeldError("held", "stop it", 12), 2, "error: held. Hint: stop it"),
    (SchemaError.missing_columns("t", {"a"}, ["b"]), 1, "error: t: missing ['a']"),
    (CommitConflictError("t", 3), 1, "error: t: still in conflict after 3 attempts"),
    (RetryLater("the sink is full", 2.0), 1, "error: the sink is full; retry in 2 s"),
    (DISK_FULL, 2, "error: disk full: /lake/x.parquet. Hint: free some space"),
    (DELTA_FULL, 2, "error: disk full: Unable to copy data to file: No space"),
    (REFUSED, 2, "error: access refused: /lake. Hint: check the permissions"),
    (DELTA_REFUSED, 2, "error: access refused: Could not create"),
    (READ_ONLY, 2, "error: access refused: /lake"),
    (RayTaskErrorOfUserError(UserError("no lake", "make one")), 2, "error: no lake. Hint: make one"),
    (RayTaskError(DISK_FULL), 2, "error: disk full: /lake/x.parquet"),
    (KeyboardInterrupt(), 130, "interrupted; state saved"),
]
NAMES = [f"{type(error).__name__}-{code}" for error, code, _ in FAILURES]


@pytest.mark.parametrize("code", [0, 1, 2, 130])
def test_exit_code_of_the_action_is_passed_on(code: int) -> None:
    assert run_command(lambda: code) == code


@pytest.mark.parametrize(("error", "code", "line"), FAILURES, ids=NAMES)
def test_failure_is_one_line_on_stderr(
    error: BaseException, code: int, line: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_command(raising(error)) == code
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith(line)
    assert err.count("\n") == 1


@pytest.mark.parametrize(("error", "code", "line"), FAILURES, ids=NAMES)
def test_failure_is_one_object_with_json(
    error: BaseException, code: int, line: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_command(raising(error), as_json=True) == code
    out = capsys.readouterr().out
    assert out.count("\n") == 1
    assert set(json.loads(out)["error"]) == {"type", "message", "hint"}


def test_json_failure_says_type_message_and_hint(capsys: pytest.CaptureFixture[str]) -> None:
    run_command(raising(ConfigError("bad", "mend it")), as_json=True)
    assert json.loads(capsys.readouterr().out) == {
        "error": {"type": "ConfigError", "message": "bad", "hint": "mend it"}
    }


@pytest.mark.parametrize(
    "error", [ValueError("x"), FileNotFoundError(errno.ENOENT, "no", "y"), BrokenPipeError()]
)
def test_bug_crashes(error: Exception, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(type(error)):
        run_command(raising(error))
    with pytest.raises(type(error)):
        run_command(raising(error), as_json=True)
    assert json.loads(capsys.readouterr().out)["error"]["type"] == "InternalError"


def test_reader_that_leaves_ends_the_command_without_a_word() -> None:
    code = (
        "import sys; from casper_ray.console.run_command import run_command\n"
        "from casper_ray.console.lines import write_line\n"
        "def action():\n"
        "    while True: write_line(sys.stdout, 'x' * 1000)\n"
        "sys.exit(run_command(action))"
    )
    command = subprocess.Popen(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert command.stdout is not None
    command.stdout.readline()
    command.stdout.close()
    assert command.stderr is not None
    assert command.stderr.read() == ""
    assert command.wait(timeout=20) == 1
    command.stderr.close()
