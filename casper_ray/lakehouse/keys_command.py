"""`casper keys`: the keys of a catalog's tokens and vault."""

from __future__ import annotations

import sys
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any

import typer

from casper_ray.config import DEFAULT_CATALOGS, DEFAULT_LAKE
from casper_ray.console.lines import write_line
from casper_ray.console.run_command import run_command

if TYPE_CHECKING:
    from casper_ray.security.key_source import RunKeys

app = typer.Typer(
    no_args_is_help=True, pretty_exceptions_enable=False, help="Keys of a catalog's tokens and vault."
)

_Lake = Annotated[str, typer.Option(help="Folder of the lake.")]
_Catalog = Annotated[str, typer.Option(help="Catalog in the lake.")]
_NONE_YET = "no keys yet: the first run makes development keys, unless CASPER_TOKEN_KEYS_FILE names others"


class _Purpose(StrEnum):
    """`security.keys.Purpose`, which is not imported for --help; a test holds the two against each other."""

    TOKEN = "token"  # noqa: S105 - a name
    VAULT = "vault"


@app.command()
def status(
    lake: _Lake = DEFAULT_LAKE,
    catalog: _Catalog = DEFAULT_CATALOGS["bank"],
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object on stdout.")] = False,
) -> None:
    """Where the keys are and which versions there are; never the keys. Makes none."""

    def action() -> int:
        from casper_ray.console.json_lines import write_object
        from casper_ray.lakehouse.names import existing_catalog
        from casper_ray.security.key_source import found_keys

        keys = found_keys(existing_catalog(lake, catalog).state)
        if as_json:
            write_object(sys.stdout, _told(keys))
        else:
            for line in _lines(keys):
                write_line(sys.stdout, line)
        return 0

    raise typer.Exit(run_command(action, as_json=as_json))


@app.command()
def rotate(
    purpose: Annotated[_Purpose, typer.Argument(help="Whose key gets a new version.")],
    lake: _Lake = DEFAULT_LAKE,
    catalog: _Catalog = DEFAULT_CATALOGS["bank"],
) -> None:
    """Add a version to the key file. A run that is live goes on with the version it began with."""

    def action() -> int:
        from casper_ray.lakehouse.names import existing_catalog
        from casper_ray.security.key_source import rotate_keys
        from casper_ray.security.keys import Purpose

        for line in _lines(rotate_keys(existing_catalog(lake, catalog).state, Purpose(purpose))):
            write_line(sys.stdout, line)
        return 0

    raise typer.Exit(run_command(action))


def _lines(keys: RunKeys | None) -> list[str]:
    if keys is None:
        return [_NONE_YET]
    told = _told(keys)
    lines = [
        f"{purpose:<8}{' '.join(f'v{v}' for v in versions)}" for purpose, versions in told["versions"].items()
    ]
    return [f"keys in {told['place']}", *lines, *([f"warning: {keys.warning}"] if keys.warning else [])]


def _told(keys: RunKeys | None) -> dict[str, Any]:
    if keys is None:
        return {"place": None, "versions": {}, "warning": ""}
    versions = {str(pin.purpose): list(keys.ring.versions(pin.purpose)) for pin in keys.source.pins}
    place = str(keys.source.file or "CASPER_TOKEN_KEYS")
    return {"place": place, "versions": versions, "warning": keys.warning}
