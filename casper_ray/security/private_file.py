"""Files that hold secrets: read only where nobody else can get at them."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import Final

from casper_ray.errors import ConfigError

OTHERS: Final = stat.S_IRWXG | stat.S_IRWXO
"""Permissions that a secret's file must not give."""
OTHERS_WRITE: Final = stat.S_IWGRP | stat.S_IWOTH
"""Permissions that the file of a public key must not give: who can change it decides who is believed."""
_MOST_BYTES: Final = 65_536


def read_private_file(
    path: Path, what: str, hint: str = "", *, forbidden: int = OTHERS, most_bytes: int = _MOST_BYTES
) -> bytes:
    """The bytes of the file at `path`. what: names it in errors; hint: for where it is not there.

    Raises: ConfigError where it is not there, is no file, gives others a forbidden permission, or is too long.
    """
    where = f"{what} {path}"
    try:
        # Not blocking: a pipe without a writer would be waited for.
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except FileNotFoundError:
        raise ConfigError(f"{where}: is not there", hint) from None
    except OSError as error:
        raise ConfigError(f"{where}: cannot be opened ({error.strerror})") from None
    try:
        # Of what was opened, not of the name: between two looks at a name it can be given to another file.
        _check(os.fstat(descriptor), path, where, forbidden, most_bytes)
        return os.read(descriptor, most_bytes)
    finally:
        os.close(descriptor)


def _check(found: os.stat_result, path: Path, where: str, forbidden: int, most_bytes: int) -> None:
    if not stat.S_ISREG(found.st_mode):
        raise ConfigError(f"{where}: is no file")
    if found.st_mode & forbidden:
        least = stat.S_IMODE(found.st_mode) & ~forbidden
        raise ConfigError(
            f"{where}: others than its owner have access to it "
            f"(mode {stat.S_IMODE(found.st_mode):04o}, expected {least:04o})",
            f"`chmod {least:o} {path}`",
        )
    if found.st_size > most_bytes:
        raise ConfigError(f"{where}: has {found.st_size} bytes, expected {most_bytes} at most")
