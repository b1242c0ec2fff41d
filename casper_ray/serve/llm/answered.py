"""What comes back from the model's replica, and how its errors are told: plain values that every process can read."""

from __future__ import annotations

from typing import Final, NamedTuple

from pydantic import ValidationError

from casper_ray.serve.door.errors import DoorError

RETRY_AFTER_S: Final = 30
"""An engine takes about so long to start again. More than a served agent waits: its cases go on without the model."""
_MOST_CHARS: Final = 300


class Answered(NamedTuple):
    """status: 200, with OpenAI's JSON or server-sent events in `body`; else with a message for whoever asked."""

    status: int
    body: bytes

    def error(self) -> DoorError:
        """What `status` and `body` say, where the status is not 200."""
        message = self.body.decode(errors="replace")
        if self.status == 503:
            return unavailable(message)
        return DoorError(self.status, message, "see the engine's limits and arguments in the configuration")


def unavailable(message: str) -> DoorError:
    """A model that cannot answer now."""
    return DoorError(
        503,
        message,
        "it is started again by itself; ask again later, or let agents decide without it",
        {"Retry-After": str(RETRY_AFTER_S)},
    )


def not_a_request(error: ValidationError) -> Answered:
    """A body that is no chat request: where it is not one, never what was in it."""
    problems = error.errors(include_input=False, include_url=False, include_context=False)[:5]
    said = "; ".join(f"{'.'.join(map(str, p['loc'][:6])) or 'body'}: {p['msg']}" for p in problems)
    return Answered(422, said[:_MOST_CHARS].encode())


def refused(code: int, message: str) -> Answered:
    """What the engine refused: whoever asked can mend it, unless the engine says that it is its own fault."""
    if code >= 500:
        return Answered(503, b"the model's engine failed")
    return Answered(404 if code == 404 else 422, message[:_MOST_CHARS].encode())


def engine_failed(error: Exception) -> Answered:
    """An engine that died, or failed in a way of its own. Its words stay here: they can quote what it was asked."""
    return Answered(503, f"the model's engine failed ({type(error).__name__})".encode())
