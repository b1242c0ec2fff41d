"""How the door says that it does not know, or not yet again, whoever asks."""

from __future__ import annotations

import math

from casper_ray.serve.door.errors import DoorError


def not_proved(message: str, hint: str) -> DoorError:
    """401."""
    return DoorError(401, message, hint, {"WWW-Authenticate": "Bearer"})


def too_often(wait_s: float, message: str) -> DoorError:
    """429, with the whole seconds after which asking again can help."""
    seconds = max(1, math.ceil(wait_s))
    return DoorError(429, message, f"ask again in {seconds} s", {"Retry-After": str(seconds)})
