"""The file of API keys: where it is, what is in it."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Final, Literal

from pydantic import ValidationError, model_validator

from casper_ray.durable import write_file
from casper_ray.errors import ConfigError
from casper_ray.lakehouse.names import Catalog, local_folder
from casper_ray.security.private_file import read_private_file
from casper_ray.serve.access.api_keys import KeyRecord
from casper_ray.serve.settings import ServeSettings
from casper_ray.spec import Spec

NAME: Final = "serve-keys.json"
_OWNER_ONLY: Final = 0o600
_MOST_BYTES: Final = 1 << 20


class KeyFile(Spec):
    """What the file says."""

    version: Literal[1] = 1
    keys: tuple[KeyRecord, ...] = ()

    @model_validator(mode="after")
    def _each_once(self) -> KeyFile:
        for names in ([key.id for key in self.keys], [key.prefix for key in self.keys]):
            if len(set(names)) < len(names):
                raise ValueError("a key is there twice")
        return self


def keys_path(settings: ServeSettings) -> Path:
    """Where the keys of a served application are."""
    if settings.access.keys_file is not None:
        return settings.access.keys_file.expanduser()
    return lake_keys_path(settings.lake, next(iter(settings.catalogs.values())))


def lake_keys_path(lake: str, catalog: str) -> Path:
    """Where they are if nobody says so: beside what else runs keep in a catalog."""
    return Catalog(local_folder(lake), catalog).state / NAME


def read_keys(path: Path) -> tuple[KeyRecord, ...]:
    """The records of the file at `path`, oldest first; none where there is no file.

    Raises: ConfigError where others have access to it, or it holds something else; quotes nothing of it.
    """
    if not path.exists():
        return ()
    data = read_private_file(path, "API keys", most_bytes=_MOST_BYTES)
    try:
        return KeyFile.model_validate_json(data).keys
    except ValidationError:
        raise ConfigError(
            f"API keys {path}: holds something else than keys",
            "move it away; `casper serve keys add` begins another",
        ) from None


def write_keys(path: Path, keys: Iterable[KeyRecord]) -> None:
    """Put the records at `path`, for its owner only, atomically and durably."""
    text = KeyFile(keys=tuple(keys)).model_dump_json(indent=1)
    write_file(path, text.encode() + b"\n", _OWNER_ONLY)
