"""Three-level names and the folders behind them: `lake/<catalog>/<schema>/<table>`."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from casper_ray.errors import ConfigError, LakeError

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_-]{0,127}")
_FOLDER = re.compile(r"[A-Za-z0-9/._~!$&'()+,;=:@-]+")
"""Other characters are written with % in the URLs of delta-rs, and polars then finds no file; or mean a pattern."""

_FIRST_SCHEMA = "lakeflow"


@dataclass(frozen=True, slots=True)
class Catalog:
    """One catalog of a lake, on local disk.

    `root` holds a folder a schema, and `_casper`, where runs keep what is theirs: the world's identity,
    cursors, leases, the batch that is under way.
    """

    lake: Path
    name: str

    @property
    def root(self) -> Path:
        return self.lake / self.name

    def table(self, schema: str, table: str) -> Path:
        return self.root / checked_name("schema", schema) / checked_name("table", table)

    def volume(self, schema: str, volume: str) -> Path:
        return self.root / checked_name("schema", schema) / "_volumes" / checked_name("volume", volume)

    @property
    def state(self) -> Path:
        return self.root / "_casper"

    @property
    def world_file(self) -> Path:
        """Says which world the catalog holds, from its first run on."""
        return self.state / "world.json"

    @property
    def pipeline_schema(self) -> str:
        """The schema of the catalog's pipeline, which is where `batches` is; before there is one, the kitchen's."""
        found = sorted(log.parent.parent.name for log in self.root.glob("*/batches/_delta_log"))
        return _FIRST_SCHEMA if _FIRST_SCHEMA in found or not found else found[0]

    def table_names(self) -> list[tuple[str, str]]:
        """(schema, table) of every Delta table that is there, sorted."""
        logs = self.root.glob("*/*/_delta_log")
        return sorted((log.parent.parent.name, log.parent.name) for log in logs)


def checked_name(what: str, name: str) -> str:
    """`name`, if it can be one part of a three-level name; else ConfigError."""
    if not _NAME.fullmatch(name):
        raise ConfigError(
            f"{what} name {name!r} cannot be used",
            "letters, digits, '_' and '-', beginning with a letter or '_'; no slashes or dots",
        )
    return name


def open_catalog(lake_uri: str, name: str) -> Catalog:
    """The catalog `name` of the lake at `lake_uri` (a folder, or `file:///folder`), made if need be.

    Raises: ConfigError for a bad name; LakeError for a lake that is not local or cannot be written.
    """
    checked_name("catalog", name)
    catalog = Catalog(local_folder(lake_uri), name)
    try:
        catalog.state.mkdir(parents=True, exist_ok=True)
        probe = catalog.state / ".probe"
        probe.touch()
        probe.unlink()
    except OSError as error:
        raise LakeError(
            f"lake {lake_uri}: cannot be written ({error.strerror})", "choose another with --lake"
        ) from error
    return catalog


def existing_catalog(lake_uri: str, name: str) -> Catalog:
    """The catalog `name` of a lake that is already there; nothing is made. Raises: LakeError."""
    catalog = Catalog(local_folder(lake_uri), checked_name("catalog", name))
    if not catalog.root.is_dir():
        raise LakeError(
            f"lake {lake_uri}: has no catalog {name!r}",
            f"`python -m casper_ray.sim --lake {lake_uri}` makes one",
        )
    return catalog


def local_folder(lake_uri: str) -> Path:
    """The folder of a lake URI. Raises: LakeError for what is not on local disk, or could not be read again there."""
    parts = urlsplit(lake_uri)
    if parts.scheme == "file" and parts.netloc in ("", "localhost"):
        return _readable(Path(parts.path).resolve())
    if "://" in lake_uri:
        raise LakeError(
            f"lake {lake_uri}: {parts.scheme}:// is not supported yet",
            "use a folder on local disk, such as --lake .casper/lake",
        )
    return _readable(Path(lake_uri).expanduser().resolve())


def _readable(folder: Path) -> Path:
    if _FOLDER.fullmatch(str(folder)):
        return folder
    odd = sorted({char for char in str(folder) if not _FOLDER.fullmatch(char)})
    raise LakeError(
        f"lake {folder}: tables could not be read in a folder with {', '.join(map(repr, odd))} in its path",
        "choose one of letters a to z, digits, '-', '_' and '.'",
    )
