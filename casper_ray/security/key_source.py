"""The keys of a run: where they come from, whether they are the catalog's, how workers get the same ones."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final, NamedTuple

from casper_ray.config import TokenKeyPlace, load_token_key_place, token_keys_text
from casper_ray.durable import read_json, write_json
from casper_ray.errors import ConfigError
from casper_ray.security.key_files import key_lock, made_key_file, read_key_file, rotate_key_file
from casper_ray.security.keys import KeyRing, Purpose, WrittenKeys, parse_keys

KEY_FILE: Final = "keys.json"
CHECKS_FILE: Final = "key-checks.json"
_IN_ENVIRONMENT: Final = "CASPER_TOKEN_KEYS"

Checks = dict[str, dict[str, str]]
"""Purpose, version, check of the key."""


class Pin(NamedTuple):
    """The newest version of a purpose when the run began, and the check of that key."""

    purpose: Purpose
    version: int
    check: str


@dataclass(frozen=True, slots=True)
class KeySource:
    """Where a run's keys are and which they were; no secret, so it can be pickled to workers.

    file: None where they are in the environment. pins: one a purpose.
    """

    file: Path | None
    pins: tuple[Pin, ...]

    def load(self) -> KeyRing:
        """The keys as the run began with them: a version that was added meanwhile is left out.

        Raises: ConfigError where this process finds no keys, or others, at the place.
        """
        ring = _read(self.file).ring
        for pin in self.pins:
            if ring.key(pin.purpose, pin.version).check != pin.check:
                raise ConfigError(
                    f"{_where(self.file)}: key {pin.purpose} v{pin.version} is another here than where the run began",
                    "give every node the same keys",
                )
        newest = {pin.purpose: pin.version for pin in self.pins}
        return KeyRing(key for key in ring if key.version <= newest.get(key.purpose, 0))

    def only(self, *purposes: Purpose) -> KeySource:
        """The same place, for these purposes."""
        return KeySource(self.file, tuple(pin for pin in self.pins if pin.purpose in purposes))


class RunKeys(NamedTuple):
    """The keys of a run. warning: a line for the user, empty where there is nothing to warn of."""

    ring: KeyRing
    source: KeySource
    warning: str


def load_keys(state: Path, place: TokenKeyPlace | None = None) -> RunKeys:
    """The keys for the catalog whose state folder is `state`, from `place` (by default: what the environment says).

    Rules: where nothing is named, `state/keys.json` is taken, and made with development keys if need be.
    `state/key-checks.json` remembers by which keys the catalog was written, so that another key of the same version,
    or an older file, cannot make tokens beside them that never meet.
    Raises: ConfigError. Retry: safe.
    """
    place = place or load_token_key_place()
    file = _file(state, place)
    keys = _own_keys(file) if file == state / KEY_FILE else _read(file)
    with key_lock(state / KEY_FILE):
        known = _known_checks(state)
        _hold_against(known, keys.ring, _where(file))
        _remember(state, known, keys.ring)
    return _run_keys(keys, file)


def found_keys(state: Path, place: TokenKeyPlace | None = None) -> RunKeys | None:
    """What `load_keys` would load, without a trace; None where it would make development keys. Raises: as it does."""
    place = place or load_token_key_place()
    file, known = _file(state, place), _known_checks(state)
    if file == state / KEY_FILE and not file.exists() and not known:
        return None
    keys = _read(file)
    _hold_against(known, keys.ring, _where(file))
    return _run_keys(keys, file)


def rotate_keys(state: Path, purpose: Purpose, place: TokenKeyPlace | None = None) -> RunKeys:
    """`load_keys` after a new version of the purpose's key was added to the file.

    Raises: ConfigError where the keys are in the environment, which cannot be written. Retry: adds another one.
    """
    before = load_keys(state, place)
    if before.source.file is None:
        newest = max(before.ring.versions(purpose), default=0)
        raise ConfigError(
            f"{_IN_ENVIRONMENT}: cannot be rotated from here",
            f"add version {newest + 1} of {purpose} where the variable is set",
        )
    rotate_key_file(before.source.file, purpose)
    return load_keys(state, place)


def _file(state: Path, place: TokenKeyPlace) -> Path | None:
    return None if place.in_environment else place.file or state / KEY_FILE


def _own_keys(path: Path) -> WrittenKeys:
    if not path.exists() and _known_checks(path.parent):
        raise ConfigError(
            f"key file {path}: is not there, and the catalog was written with keys",
            "give them with CASPER_TOKEN_KEYS_FILE",
        )
    return made_key_file(path)


def _read(file: Path | None) -> WrittenKeys:
    return read_key_file(file) if file else parse_keys(token_keys_text(), _where(file))


def _where(file: Path | None) -> str:
    return f"key file {file}" if file else _IN_ENVIRONMENT


def _run_keys(keys: WrittenKeys, file: Path | None) -> RunKeys:
    warning = f"{_where(file)}: development keys; for real data give your own with CASPER_TOKEN_KEYS_FILE"
    return RunKeys(keys.ring, KeySource(file, _pins(keys.ring)), warning if keys.development else "")


def _pins(ring: KeyRing) -> tuple[Pin, ...]:
    current = [ring.current(purpose) for purpose in Purpose if ring.versions(purpose)]
    return tuple(Pin(key.purpose, key.version, key.check) for key in current)


def _known_checks(state: Path) -> Checks:
    return read_json(state / CHECKS_FILE) or {}


def _hold_against(known: Checks, ring: KeyRing, where: str) -> None:
    """Refuse keys that are not the catalog's."""
    for pin in _pins(ring):
        newest = max(map(int, known.get(pin.purpose, {})), default=0)
        if pin.version < newest:
            raise ConfigError(
                f"{where}: {pin.purpose} ends at v{pin.version}; the catalog was written with v{newest}",
                "is it an older copy of the file?",
            )
    for key in ring:
        if known.get(key.purpose, {}).get(str(key.version), key.check) != key.check:
            raise ConfigError(
                f"{where}: {key.name} is not the key that the catalog was written with",
                "give the keys of before, or choose another catalog or --lake",
            )


def _remember(state: Path, known: Checks, ring: KeyRing) -> None:
    checks = {purpose: dict(versions) for purpose, versions in known.items()}
    for key in ring:
        checks.setdefault(str(key.purpose), {})[str(key.version)] = key.check
    if checks != known:
        write_json(state / CHECKS_FILE, checks)
