"""Files that only their owner may read, looked at before they are needed."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import Final

from casper_ray.errors import ConfigError

_OTHERS: Final = stat.S_IRWXG | stat.S_IRWXO


def check_private(path: Path, what: str) -> None:
    """Raises: ConfigError where the file is not there, cannot be read, or others than its owner have access to it."""
    check_readable(path, what)
    mode = stat.S_IMODE(path.expanduser().stat().st_mode)
    if mode & _OTHERS:
        raise ConfigError(
            f"{what} {path}: others than its owner have access to it (mode {mode:04o}, expected 0600)",
            f"`chmod 600 {path}`",
        )


def check_readable(path: Path, what: str) -> None:
    """Raises: ConfigError where there is no file, or this user may not read it."""
    file = path.expanduser()
    if not file.is_file():
        raise ConfigError(f"{what} {path}: is not there, or no file")
    if not os.access(file, os.R_OK):
        raise ConfigError(f"{what} {path}: cannot be read by this user")
