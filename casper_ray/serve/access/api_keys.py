"""API keys: `crk_PREFIX_SECRET` for whoever asks, a record with a hash for us."""

from __future__ import annotations

import re
import secrets
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from typing import TYPE_CHECKING, Annotated, Any, Final

from pydantic import AwareDatetime, Field, StringConstraints

from casper_ray.errors import ConfigError
from casper_ray.serve.access.principal import Principal, Role
from casper_ray.spec import Spec

if TYPE_CHECKING:
    from argon2 import PasswordHasher

_LETTERS: Final = "abcdefghijkmnpqrstuvwxyz23456789"
"""Without those that people mistake for others."""
_SECRET_BYTES: Final = 32
_KEY: Final = re.compile(r"crk_([a-z0-9]{8})_[A-Za-z0-9_-]{43}")
NAME_PATTERN: Final = r"[A-Za-z0-9][A-Za-z0-9 ._-]{0,63}"
"""Of a key's name, a label for people: nothing in it can break out of a line, a header or a page."""
ID_PATTERN: Final = r"key-[a-z0-9]{10}"

KeyName = Annotated[str, StringConstraints(pattern=rf"^{NAME_PATTERN}$")]


class KeyRecord(Spec):
    """What is kept of a key: never its secret.

    prefix:    finds the record; not secret, but shown to nobody who may not see keys.
    expires:   None: never. revoked, rotated: when, or None.
    hash:      argon2id of the whole key. old_hash: of the secret before the last rotation, good until old_until.
    """

    id: str = Field(pattern=rf"^{ID_PATTERN}$")
    prefix: str = Field(pattern=r"^[a-z0-9]{8}$")
    name: KeyName
    role: Role
    created: AwareDatetime
    expires: AwareDatetime | None = None
    revoked: AwareDatetime | None = None
    rotated: AwareDatetime | None = None
    hash: str = Field(repr=False)
    old_hash: str | None = Field(default=None, repr=False)
    old_until: AwareDatetime | None = None

    @property
    def hashes(self) -> tuple[str, ...]:
        return (self.hash,) if self.old_hash is None else (self.hash, self.old_hash)

    def live(self, now: datetime) -> bool:
        """Whether it opens the door at all."""
        return self.revoked is None and (self.expires is None or now < self.expires)

    def good(self, proved: str, now: datetime) -> bool:
        """Whether who proved to have the secret of the hash `proved` has the key now."""
        is_old = proved == self.old_hash and self.old_until is not None and now < self.old_until
        return self.live(now) and (proved == self.hash or is_old)

    @property
    def principal(self) -> Principal:
        return Principal(id=self.id, role=self.role, by="key")

    def told(self) -> dict[str, Any]:
        """The record for people and JSON, without hashes."""
        told: dict[str, Any] = self.model_dump(mode="json", exclude={"hash", "old_hash"})
        return told


@dataclass(frozen=True, slots=True)
class MadeKey:
    """A new or rotated key. text: the key itself, which is shown once and kept nowhere."""

    record: KeyRecord
    text: str = field(repr=False)


def made_key(name: str, role: Role, now: datetime, expires: datetime | None) -> MadeKey:
    """A new random key. Raises: ConfigError where the name has characters that names have not."""
    if not re.fullmatch(NAME_PATTERN, name):
        raise ConfigError(
            "name of a key: cannot be used",
            "1 to 64 letters, digits, spaces, '.', '_' and '-', no space first",
        )
    text = _fresh_text(_random(8))
    record = KeyRecord(
        id=f"key-{_random(10)}",
        prefix=text[4:12],
        name=name,
        role=role,
        created=now,
        expires=expires,
        hash=_hasher().hash(text),
    )
    return MadeKey(record, text)


def rotated_key(record: KeyRecord, now: datetime, old_until: datetime, expires: datetime | None) -> MadeKey:
    """The same key with a new secret; the one of before is good until `old_until`."""
    text = _fresh_text(record.prefix)
    changes = {
        "hash": _hasher().hash(text),
        "old_hash": record.hash if old_until > now else None,
        "old_until": old_until if old_until > now else None,
        "rotated": now,
        "expires": expires,
    }
    return MadeKey(record.model_copy(update=changes), text)


def prefix_of(text: str) -> str | None:
    """The prefix of what looks like a key, else None."""
    found = _KEY.fullmatch(text)
    return found[1] if found else None


def proves(text: str, kept: str) -> bool:
    """Whether `kept` is the hash of the key `text`. Takes tens of milliseconds, without the interpreter's lock."""
    from argon2.exceptions import InvalidHashError, VerificationError

    try:
        return _hasher().verify(kept, text)
    except (VerificationError, InvalidHashError):
        return False


@cache
def decoy_hash() -> str:
    """The hash of a key that nobody has: a prefix that is not known costs as much as a wrong secret."""
    return _hasher().hash(_fresh_text(_random(8)))


@cache
def _hasher() -> PasswordHasher:
    """argon2id with the least memory that OWASP names (19 MiB): 256 random bits cannot be guessed anyway."""
    from argon2 import PasswordHasher

    return PasswordHasher(time_cost=2, memory_cost=19_456, parallelism=1)


def _fresh_text(prefix: str) -> str:
    return f"crk_{prefix}_{secrets.token_urlsafe(_SECRET_BYTES)}"


def _random(length: int) -> str:
    return "".join(secrets.choice(_LETTERS) for _ in range(length))
