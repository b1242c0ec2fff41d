"""How a start that runs is asked what it does: a socket in a folder that only its owner can enter.

Ray itself cannot be asked from another process: a Ray of a process's own lets nobody in who has not its token.
"""

from __future__ import annotations

import json
import socket
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Final

from casper_ray.errors import CasperError

_ANSWER_S: Final = 15.0
_ROOT: Final = "/tmp"  # noqa: S108 - a socket's path is 107 characters at most; the folder made in it is private


@contextmanager
def answering(state: Callable[[], dict[str, Any]]) -> Iterator[Path]:
    """The socket's path: whoever connects is told `state()` as JSON. For the block's time."""
    with (
        tempfile.TemporaryDirectory(prefix="casper-", dir=_ROOT) as folder,
        socket.socket(socket.AF_UNIX) as listener,
    ):
        path = Path(folder) / "status.sock"
        listener.bind(str(path))
        listener.listen()
        threading.Thread(target=_answer, args=(listener, state), name="status", daemon=True).start()
        yield path


def ask(path: Path) -> dict[str, Any]:
    """What the start at the socket tells. Raises: CasperError where nobody answers."""
    try:
        with socket.socket(socket.AF_UNIX) as asking:
            asking.settimeout(_ANSWER_S)
            asking.connect(str(path))
            with asking.makefile("rb") as answer:
                found: dict[str, Any] = json.loads(answer.read())
    except (OSError, ValueError) as error:
        raise CasperError(f"{path}: no answer within {_ANSWER_S:g} s ({type(error).__name__})") from error
    return found


def _answer(listener: socket.socket, state: Callable[[], dict[str, Any]]) -> None:
    """One at a time, until the listener is closed."""
    while True:
        try:
            asked, _ = listener.accept()
        except OSError:
            return
        with asked, suppress(OSError):
            asked.settimeout(_ANSWER_S)
            asked.sendall(json.dumps(state()).encode())
