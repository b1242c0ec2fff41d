"""What can go wrong, as the person who has to act on it sees it.

`UserError`: the caller can mend it (exit code 2, one line). `DataError`: the data can (quarantine, or a
stopped batch). `RetryLater`: nobody has to, the same call may work in a while. Anything else that is
raised is a bug, and crashes.

Every class takes positional arguments only, so that it survives the pickling on its way out of a Ray
worker.
"""

from __future__ import annotations


class CasperError(Exception):
    """Base of every error that casper_ray raises on purpose."""


class UserError(CasperError):
    """Something the caller can mend: one line of what, where, saw, expected, hint. Exit code 2."""

    def __init__(self, what: str, hint: str = "") -> None:
        super().__init__(what, hint)
        self.what, self.hint = what, hint

    def __str__(self) -> str:
        return f"{self.what}. Hint: {self.hint}" if self.hint else self.what


class ConfigError(UserError):
    """A configuration, scenario or option that cannot be used."""

    @classmethod
    def unknown_keys(cls, where: str, unknown: set[str], known: set[str]) -> ConfigError:
        return cls(f"{where}: unknown keys {sorted(unknown)}", f"known keys are {sorted(known)}")


class LakeError(UserError):
    """A lake that cannot be used: unwritable, of another world, of another version."""


class LeaseHeldError(UserError):
    """Another living process writes these tables."""

    def __init__(self, what: str, hint: str = "", holder_pid: int = 0) -> None:
        super().__init__(what, hint)
        self.args = (what, hint, holder_pid)
        self.holder_pid = holder_pid


class DataError(CasperError):
    """Data that cannot be taken as it is."""


class SchemaError(DataError):
    """Columns that do not fit what was declared."""

    @classmethod
    def missing_columns(cls, table: str, missing: set[str], present: list[str]) -> SchemaError:
        return cls(
            f"{table}: missing {sorted(missing)}; has {sorted(present)}. "
            "Hint: was it written by an older schema?"
        )


class CommitConflictError(CasperError):
    """A table that went on changing under a commit until the attempts ran out."""

    def __init__(self, table: str, attempts: int) -> None:
        super().__init__(table, attempts)
        self.table, self.attempts = table, attempts

    def __str__(self) -> str:
        return f"{self.table}: still in conflict after {self.attempts} attempts to commit"


class RetryLater(CasperError):  # noqa: N818 - the name says what to do
    """A resource that is busy now. `retry_after_s`: seconds."""

    def __init__(self, what: str, retry_after_s: float) -> None:
        super().__init__(what, retry_after_s)
        self.what, self.retry_after_s = what, retry_after_s

    def __str__(self) -> str:
        return f"{self.what}; retry in {self.retry_after_s:g} s"
