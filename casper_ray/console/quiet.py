"""No output at all (--quiet). Errors are run_command's to tell."""

from __future__ import annotations

from types import TracebackType
from typing import Self

from casper_ray.console.progress import Progress, Summary


class QuietWatcher:
    """Is told everything and says nothing."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        pass

    def started(self, title: str) -> None:
        pass

    def progressed(self, progress: Progress) -> None:
        pass

    def noted(self, text: str) -> None:
        pass

    def finished(self, summary: Summary) -> None:
        pass
