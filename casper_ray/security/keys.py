"""Keys by purpose and version, and the JSON that they are written in.

    {"token": {"1": "64 hexadecimal digits", "2": "…"}, "vault": {"1": "128 hexadecimal digits"}}

Tokens and vault have keys of their own: who can make tokens cannot open the vault, and one is rotated without the
other.
"""

from __future__ import annotations

import hmac
import json
import re
import secrets
from collections.abc import Iterable, Iterator, Mapping
from enum import StrEnum
from typing import Any, Final, NamedTuple

from casper_ray.errors import ConfigError
from casper_ray.security.guarded import Guarded

_VERSION: Final = re.compile(r"[1-9][0-9]{0,5}", re.ASCII)
_HEX: Final = re.compile(r"([0-9A-Fa-f]{2})*", re.ASCII)
_FEWEST_DIFFERENT_BYTES: Final = 16
"""Of 32 random bytes fewer are different once in 10^15 times; of zeros, or of a word again and again, mostly."""
_DEVELOPMENT: Final = "development"


class Purpose(StrEnum):
    """What a key is for."""

    TOKEN = "token"  # noqa: S105 - a name
    VAULT = "vault"

    @property
    def key_bytes(self) -> int:
        """HMAC-SHA256 takes 32 bytes of key; AES-SIV two AES-256 keys, 64."""
        return {Purpose.TOKEN: 32, Purpose.VAULT: 64}[self]


class Key(Guarded):
    """One version of one purpose's secret. Raises: ConfigError for a length or a secret that cannot be used."""

    __slots__ = ("_secret", "purpose", "version")

    def __init__(self, purpose: Purpose, version: int, secret: bytes) -> None:
        self.purpose, self.version, self._secret = purpose, version, secret
        if len(secret) != purpose.key_bytes:
            raise ConfigError(
                f"{self.name} has {len(secret)} bytes, expected {purpose.key_bytes}",
                f"`openssl rand -hex {purpose.key_bytes}` makes one",
            )
        if len(set(secret)) < _FEWEST_DIFFERENT_BYTES:
            raise ConfigError(
                f"{self.name} is not random", f"`openssl rand -hex {purpose.key_bytes}` makes one"
            )

    @property
    def name(self) -> str:
        return f"key {self.purpose} v{self.version}"

    @property
    def check(self) -> str:
        """16 hexadecimal digits by which the same key is known again. They help nobody to find the key."""
        return hmac.digest(self._secret, b"casper key check", "sha256")[:8].hex()

    def reveal(self) -> bytes:
        """The secret, for the cipher that uses it."""
        return self._secret

    def __repr__(self) -> str:
        return f"<{self.name}>"


def fresh_key(purpose: Purpose, version: int) -> Key:
    """A new random key."""
    return Key(purpose, version, secrets.token_bytes(purpose.key_bytes))


class KeyRing(Guarded):
    """Every version of every purpose's key. The highest version is the one in use; the others still verify and open.

    A purpose may be missing: a process that makes tokens needs no key of the vault.
    Raises: ConfigError where there is no key, or a version is there twice, or two versions are the same key.
    """

    __slots__ = ("_keys",)

    def __init__(self, keys: Iterable[Key]) -> None:
        self._keys: dict[tuple[Purpose, int], Key] = {}
        for key in sorted(keys, key=lambda key: (key.purpose, key.version)):
            if (key.purpose, key.version) in self._keys:
                raise ConfigError(f"{key.name} is there twice")
            if same := [k for k in self if k.purpose == key.purpose and k.check == key.check]:
                raise ConfigError(
                    f"{key.name} is the same key as v{same[0].version}", "a version needs a new key"
                )
            self._keys[key.purpose, key.version] = key
        if not self._keys:
            raise ConfigError("there are no keys", f"expected versions under {[str(p) for p in Purpose]}")

    def __iter__(self) -> Iterator[Key]:
        """By purpose and version."""
        return iter(self._keys.values())

    def __repr__(self) -> str:
        return f"<KeyRing {', '.join(key.name.removeprefix('key ') for key in self)}>"

    def versions(self, purpose: Purpose) -> tuple[int, ...]:
        """Oldest first; empty where the purpose has no key."""
        return tuple(version for of, version in self._keys if of == purpose)

    def current(self, purpose: Purpose) -> Key:
        """The newest key. Raises: ConfigError where the purpose has none."""
        return self.key(purpose, max(self.versions(purpose), default=1))

    def key(self, purpose: Purpose, version: int) -> Key:
        """Raises: ConfigError where it is not there."""
        key = self._keys.get((purpose, version))
        if key is None:
            raise ConfigError(
                f"key {purpose} v{version} is not among the keys of this run",
                "give it beside the others in the key file",
            )
        return key

    def rotated(self, purpose: Purpose) -> KeyRing:
        """This ring and a new random version of the purpose."""
        version = max(self.versions(purpose), default=0) + 1
        return KeyRing([*self, fresh_key(purpose, version)])


def fresh_ring() -> KeyRing:
    """Version 1 of every purpose, random."""
    return KeyRing(fresh_key(purpose, 1) for purpose in Purpose)


class WrittenKeys(NamedTuple):
    """What a key file says. development: made by us, for trying things out."""

    ring: KeyRing
    development: bool


def parse_keys(text: str, where: str) -> WrittenKeys:
    """The keys of `text`, of which `where` says what it is.

    Raises: ConfigError, with `where` and never a word of the text: what stands in the wrong place may be a secret.
    """
    found = _json_object(text)
    if found is None:
        raise ConfigError(
            f"{where}: is no JSON object, or has a name twice", 'expected {"token": {"1": "…"}}'
        )
    development = found.pop(_DEVELOPMENT, False)
    if not isinstance(development, bool) or not set(found) <= set(Purpose):
        raise ConfigError(f"{where}: has names that are not known", f"known are {[str(p) for p in Purpose]}")
    try:
        return WrittenKeys(KeyRing(_keys(found)), development)
    except ConfigError as error:
        raise ConfigError(f"{where}: {error.what}", error.hint) from None


def written(keys: WrittenKeys) -> bytes:
    """The JSON text that `parse_keys` reads: secret."""
    value: dict[str, Any] = {_DEVELOPMENT: True} if keys.development else {}
    for key in keys.ring:
        value.setdefault(str(key.purpose), {})[str(key.version)] = key.reveal().hex()
    return json.dumps(value, indent=1).encode() + b"\n"


def _keys(found: Mapping[str, Any]) -> Iterator[Key]:
    for name, versions in found.items():
        if not isinstance(versions, dict) or not all(map(_VERSION.fullmatch, versions)):
            raise ConfigError(f"{name} has no versions", 'expected {"1": "…", "2": "…"}')
        for version, digits in versions.items():
            if not isinstance(digits, str) or not _HEX.fullmatch(digits):
                raise ConfigError(f"key {name} v{version} is not written in hexadecimal digits")
            yield Key(Purpose(name), int(version), bytes.fromhex(digits))


def _json_object(text: str) -> dict[str, Any] | None:
    # The error that json raises holds the text. It ends here, so that no traceback or pickle can carry it on.
    try:
        value = json.loads(text, object_pairs_hook=_each_once)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def _each_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    if len(dict(pairs)) < len(pairs):
        raise ValueError
    return dict(pairs)
