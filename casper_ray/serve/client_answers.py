"""What the door answers, as a client has it."""

from __future__ import annotations

from casper_ray.errors import CasperError
from casper_ray.serve.door.answers import DecisionRow


class ServeError(CasperError):
    """A refusal, or no answer.

    status: of HTTP; 0: nothing answered, and `type` is `unreachable`, `timeout` or `cut`. type, message, hint: as the
    door says them. request_id: to be found in its log; empty where nothing answered. retry_after_s: where it says so.
    """

    def __init__(
        self,
        status: int,
        type_: str,
        message: str,
        hint: str = "",
        request_id: str = "",
        retry_after_s: float | None = None,
    ) -> None:
        super().__init__(status, type_, message, hint, request_id, retry_after_s)
        self.status, self.type, self.message = status, type_, message
        self.hint, self.request_id, self.retry_after_s = hint, request_id, retry_after_s

    def __str__(self) -> str:
        said = f"{self.status} {self.type}: {self.message}"
        return f"{said}. Hint: {self.hint}" if self.hint else said


class Decision(DecisionRow):
    """A decision that is durable. replayed: whether it was there before it was asked for."""

    replayed: bool = False
