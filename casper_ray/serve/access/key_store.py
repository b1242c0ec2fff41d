"""What is done to API keys: made, given a new secret, revoked; by one process at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from casper_ray.errors import UserError
from casper_ray.security.key_files import key_lock
from casper_ray.serve.access.api_keys import KeyRecord, MadeKey, made_key, rotated_key
from casper_ray.serve.access.key_file import read_keys, write_keys
from casper_ray.serve.access.principal import Role

MOST_KEYS: Final = 1_000
LONGEST_S: Final = 10 * 366 * 86_400.0
"""Of an expiry or an overlap, seconds."""


class NoSuchKeyError(UserError):
    """No key has this id."""


class KeyConflictError(UserError):
    """What is asked for cannot be done to the keys as they are."""


class KeyStore:
    """The keys of the file at `path`. Every call reads it anew. most: keys in it, those that are over too.

    Raises: ConfigError where the file cannot be used.
    """

    def __init__(
        self, path: Path, *, now: Callable[[], datetime] = lambda: datetime.now(UTC), most: int = MOST_KEYS
    ) -> None:
        self.path, self._now, self._most = path, now, most

    def records(self) -> tuple[KeyRecord, ...]:
        """Every key, revoked and expired ones too, oldest first."""
        return read_keys(self.path)

    def add(
        self, name: str, role: Role, *, expires_s: float | None = None, instead_of: Iterable[str] = ()
    ) -> MadeKey:
        """A new key. expires_s: None: never. instead_of: ids of keys that go from the file.

        Raises: KeyConflictError where there are too many. Retry: makes another one.
        """
        now = self._now()
        made = made_key(name, role, now, None if expires_s is None else _after(now, expires_s))
        with self._changing() as keys:
            for key_id in instead_of:
                keys.pop(key_id, None)
            _make_room(keys, self._most, now)
            keys[made.record.id] = made.record
        return made

    def rotate(self, key_id: str, *, overlap_s: float = 0.0, expires_s: float | None = None) -> MadeKey:
        """The key with a new secret. overlap_s: for which the old one stays good. expires_s: None: as before.

        Raises: NoSuchKeyError; KeyConflictError where the key does not live any more. Retry: rotates again.
        """
        now = self._now()
        with self._changing() as keys:
            record = _found(keys, key_id)
            if not record.live(now):
                raise KeyConflictError(f"key {key_id}: was revoked or has expired", "make a new one")
            expires = record.expires if expires_s is None else _after(now, expires_s)
            made = rotated_key(record, now, _after(now, overlap_s), expires)
            keys[key_id] = made.record
        return made

    def revoke(self, key_id: str, *, leave_admin: bool) -> KeyRecord:
        """The key, which opens nothing any more. leave_admin: not if it is the last one of an admin that does.

        Raises: NoSuchKeyError; KeyConflictError. Retry: safe, it was revoked when it was revoked first.
        """
        now = self._now()
        with self._changing() as keys:
            record = _found(keys, key_id)
            if leave_admin and live_admins(keys.values(), now) == [record]:
                raise KeyConflictError(f"key {key_id}: is the last one of an admin", "make another one first")
            if record.revoked is None:
                keys[key_id] = record.model_copy(update={"revoked": now})
            return keys[key_id]

    @contextmanager
    def _changing(self) -> Iterator[dict[str, KeyRecord]]:
        """The keys by id, written as the block leaves them. Waits for whoever writes: that is never long."""
        with key_lock(self.path):
            keys = {key.id: key for key in self.records()}
            yield keys
            write_keys(self.path, keys.values())


def live_admins(keys: Iterable[KeyRecord], now: datetime) -> list[KeyRecord]:
    """Keys of admins that open the door at `now`."""
    return [key for key in keys if key.role is Role.ADMIN and key.live(now)]


def _make_room(keys: dict[str, KeyRecord], most: int, now: datetime) -> None:
    """Room for one more: the oldest of those that open nothing any more go, if need be."""
    over = [key.id for key in keys.values() if not key.live(now)]
    for key_id in over[: max(0, len(keys) - most + 1)]:
        del keys[key_id]
    if len(keys) >= most:
        raise KeyConflictError(f"there are {len(keys)} keys, which is the most", "revoke some")


def _found(keys: dict[str, KeyRecord], key_id: str) -> KeyRecord:
    if key_id not in keys:
        # Not quoted: what was typed in the id's place may be a key.
        raise NoSuchKeyError("no key has this id", "`casper serve keys ls` lists them")
    return keys[key_id]


def _after(now: datetime, seconds: float) -> datetime:
    return now + timedelta(seconds=min(seconds, LONGEST_S))
