"""Key files: read only where nobody else can read them, made once, rotated one at a time."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from casper_ray.durable import write_file
from casper_ray.security.keys import Purpose, WrittenKeys, fresh_ring, parse_keys, written
from casper_ray.security.private_file import read_private_file

_OWNER_ONLY: Final = 0o600


def read_key_file(path: Path) -> WrittenKeys:
    """The keys of the file at `path`.

    Raises: ConfigError where it is not there, is no file, can be read by others, or holds no keys.
    """
    data = read_private_file(path, "key file", "check CASPER_TOKEN_KEYS_FILE")
    return parse_keys(data.decode("utf-8", errors="replace"), f"key file {path}")


def made_key_file(path: Path) -> WrittenKeys:
    """The keys of the file at `path`, which is made with development keys if it is not there.

    Retry: safe; processes that call it at once get the same keys.
    """
    with key_lock(path):
        if not path.exists():
            write_file(path, written(WrittenKeys(fresh_ring(), development=True)), _OWNER_ONLY)
    return read_key_file(path)


def rotate_key_file(path: Path, purpose: Purpose) -> None:
    """Add a new version of the purpose's key to the file at `path`. Retry: adds another one."""
    target = path.resolve()
    with key_lock(target):
        keys = read_key_file(target)
        new = WrittenKeys(keys.ring.rotated(purpose), keys.development)
        write_file(target, written(new), _OWNER_ONLY)


@contextmanager
def key_lock(path: Path) -> Iterator[None]:
    """Hold the lock beside `path` for the block's time; waits for whoever has it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(path.with_name(f".{path.name}.lock"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)
