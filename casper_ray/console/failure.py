"""An exception as the person who has to act on it sees it: exit code, one line, a hint."""

from __future__ import annotations

import errno
import re
from typing import Any, Final, NamedTuple

from casper_ray.console.figures import one_line
from casper_ray.errors import CasperError, UserError

FAILED: Final = 1
MENDABLE: Final = 2
INTERRUPTED: Final = 130

_DISK_FULL: Final = {errno.ENOSPC, errno.EDQUOT}
_REFUSED: Final = {errno.EACCES, errno.EPERM, errno.EROFS}
_RUST_ERRNO: Final = re.compile(r"\(os error (\d+)\)|Os \{ code: (\d+)")
_LONGEST_CHARACTERS: Final = 400


class Failure(NamedTuple):
    """What to print and how to exit."""

    exit_code: int
    type: str
    message: str
    hint: str = ""

    def line(self) -> str:
        text = f"error: {self.message}"
        return f"{text}. Hint: {self.hint}" if self.hint else text

    def as_json(self) -> dict[str, Any]:
        return {"error": {"type": self.type, "message": self.message, "hint": self.hint}}


INTERRUPTION: Final = Failure(
    INTERRUPTED, "Interrupted", "interrupted; state saved", "the same command resumes where it stopped"
)


def failure_of(error: Exception) -> Failure | None:
    """The failure that the exception stands for; None if it is a bug.

    Rules: an exception out of a Ray worker counts as its cause. delta-rs and polars raise their own classes
    for a full disk; the system's error number is in their text.
    """
    cause = _cause(error)
    if isinstance(cause, UserError):
        return Failure(MENDABLE, type(cause).__name__, one_line(cause.what), one_line(cause.hint))
    if isinstance(cause, CasperError):
        return Failure(FAILED, type(cause).__name__, one_line(str(cause)) or type(cause).__name__)
    number = _errno(cause)
    if number in _DISK_FULL:
        hint = "free some space, or choose a lake on another disk with --lake"
        return Failure(MENDABLE, "DiskFull", f"disk full: {_place(cause)}", hint)
    if number in _REFUSED:
        hint = "check the permissions, or choose another lake with --lake"
        return Failure(MENDABLE, "AccessRefused", f"access refused: {_place(cause)}", hint)
    return None


def bug(error: BaseException) -> Failure:
    """What JSON says of a bug; the traceback on stderr says the rest."""
    name = type(error).__name__
    return Failure(FAILED, "InternalError", f"{name}: a bug of casper_ray", "the traceback is on stderr")


def _cause(error: Exception) -> Exception:
    """The exception itself, or the one that Ray's wrapper carries."""
    cause = getattr(error, "cause", None)
    wrapped = type(error).__name__.startswith("RayTaskError") and isinstance(cause, Exception)
    return cause if wrapped and cause is not None else error


def _errno(error: Exception) -> int | None:
    if isinstance(error, OSError) and error.errno is not None:
        return error.errno
    found = _RUST_ERRNO.search(str(error))
    return int(found[1] or found[2]) if found else None


def _place(error: Exception) -> str:
    """The path, or the text of an exception that knows no path."""
    path = error.filename if isinstance(error, OSError) else None
    return one_line(str(path if path is not None else error))[:_LONGEST_CHARACTERS]
