"""Key files: read only where nobody else can read them, made once, rotated one at a time."""

from __future__ import annotations

import fcntl
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from casper_ray.durable import write_file
from casper_ray.errors import ConfigError
from casper_ray.security.keys import Purpose, WrittenKeys, fresh_ring, parse_keys, written

_OTHERS: Final = stat.S_IRWXG | stat.S_IRWXO
_OWNER_ONLY: Final = 0o600
_MOST_BYTES: Final = 65_536


def read_key_file(path: Path) -> WrittenKeys:
    """The keys of the file at `path`.

    Raises: ConfigError where it is not there, is no file, can be read by others, or holds no keys.
    """
    where = f"key file {path}"
    try:
        # Not blocking: a pipe without a writer would be waited for.
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except FileNotFoundError:
        raise ConfigError(f"{where}: is not there", "check CASPER_TOKEN_KEYS_FILE") from None
    except OSError as error:
        raise ConfigError(f"{where}: cannot be opened ({error.strerror})") from None
    try:
        # Of what was opened, not of the name: between two looks at a name it can be given to another file.
        _check_file(os.fstat(descriptor), path)
        data = os.read(descriptor, _MOST_BYTES)
    finally:
        os.close(descriptor)
    return parse_keys(data.decode("utf-8", errors="replace"), where)


def _check_file(found: os.stat_result, path: Path) -> None:
    if not stat.S_ISREG(found.st_mode):
        raise ConfigError(f"key file {path}: is no file")
    if found.st_mode & _OTHERS:
        raise ConfigError(
            f"key file {path}: others than its owner have access to it "
            f"(mode {stat.S_IMODE(found.st_mode):04o}, expected 0600)",
            f"`chmod 600 {path}`",
        )
    if found.st_size > _MOST_BYTES:
        raise ConfigError(f"key file {path}: has {found.st_size} bytes, expected {_MOST_BYTES} at most")


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
