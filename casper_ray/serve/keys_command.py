"""`casper serve keys`: the API keys of a served application."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from casper_ray.config import DEFAULT_CATALOG, DEFAULT_LAKE
from casper_ray.console.lines import write_line
from casper_ray.console.run_command import run_command

if TYPE_CHECKING:
    from casper_ray.serve.access.api_keys import KeyRecord, MadeKey
    from casper_ray.serve.access.key_store import KeyStore

keys_app = typer.Typer(
    no_args_is_help=True, pretty_exceptions_enable=False, help="API keys: list, make, rotate, revoke."
)

_Lake = Annotated[str, typer.Option(help="Folder of the lake.")]
_Catalog = Annotated[str, typer.Option(help="The first catalog that is served.")]
_File = Annotated[
    Path | None, typer.Option(help="File of the keys, as `access.keys_file` says.", show_default="the lake's")
]
_Json = Annotated[bool, typer.Option("--json", help="One JSON object on stdout.")]
_Expires = Annotated[
    str | None, typer.Option(help="From when it opens nothing, as 12h or 90d from now.", show_default="never")
]
_KeyId = Annotated[str, typer.Argument(help="Id of the key, as `ls` lists it.")]


class _Role(StrEnum):
    """`access.principal.Role`, which is not imported for --help; a test holds the two against each other."""

    VIEWER = "viewer"
    OPERATOR = "operator"
    SUPERVISOR = "supervisor"
    AUDITOR = "auditor"
    ADMIN = "admin"


@keys_app.command()
def ls(
    lake: _Lake = DEFAULT_LAKE,
    catalog: _Catalog = DEFAULT_CATALOG,
    file: _File = None,
    as_json: _Json = False,
) -> None:
    """Every key: id, role, state, name; never a secret."""

    def action() -> int:
        from casper_ray.console.json_lines import write_object

        records = _store(lake, catalog, file).records()
        if as_json:
            write_object(sys.stdout, {"keys": [record.told() for record in records]})
        else:
            for record in records:
                write_line(sys.stdout, _line(record))
            if not records:
                write_line(sys.stdout, "no keys yet: `casper serve keys add NAME --role operator` makes one")
        return 0

    raise typer.Exit(run_command(action, as_json=as_json))


@keys_app.command()
def add(
    name: Annotated[str, typer.Argument(help="A label: letters, digits, spaces, '.', '_' and '-'.")],
    role: Annotated[_Role, typer.Option(help="What the key may do.")],
    expires: _Expires = None,
    lake: _Lake = DEFAULT_LAKE,
    catalog: _Catalog = DEFAULT_CATALOG,
    file: _File = None,
    as_json: _Json = False,
) -> None:
    """Make a key. It is shown now, and never again."""

    def action() -> int:
        from casper_ray.serve.access.principal import Role

        store = _store(lake, catalog, file)
        made = store.add(name, Role(role), expires_s=_seconds("--expires", expires))
        _show(made, as_json=as_json)
        return 0

    raise typer.Exit(run_command(action, as_json=as_json))


@keys_app.command()
def rotate(
    key_id: _KeyId,
    overlap: Annotated[
        str | None, typer.Option(help="How long the old secret stays good, as 1h.", show_default="not at all")
    ] = None,
    expires: _Expires = None,
    lake: _Lake = DEFAULT_LAKE,
    catalog: _Catalog = DEFAULT_CATALOG,
    file: _File = None,
    as_json: _Json = False,
) -> None:
    """Give a key a new secret. It is shown now, and never again."""

    def action() -> int:
        made = _store(lake, catalog, file).rotate(
            key_id,
            overlap_s=_seconds("--overlap", overlap) or 0.0,
            expires_s=_seconds("--expires", expires),
        )
        _show(made, as_json=as_json)
        return 0

    raise typer.Exit(run_command(action, as_json=as_json))


@keys_app.command()
def revoke(
    key_id: _KeyId,
    lake: _Lake = DEFAULT_LAKE,
    catalog: _Catalog = DEFAULT_CATALOG,
    file: _File = None,
    as_json: _Json = False,
) -> None:
    """Revoke a key, the last one of an admin too: within a second no door opens for it."""

    def action() -> int:
        from casper_ray.console.json_lines import write_object

        record = _store(lake, catalog, file).revoke(key_id, leave_admin=False)
        if as_json:
            write_object(sys.stdout, record.told())
        else:
            write_line(sys.stdout, _line(record))
        return 0

    raise typer.Exit(run_command(action, as_json=as_json))


def _store(lake: str, catalog: str, file: Path | None) -> KeyStore:
    from casper_ray.lakehouse.names import existing_catalog
    from casper_ray.serve.access.key_file import lake_keys_path
    from casper_ray.serve.access.key_store import KeyStore

    if file is None:
        existing_catalog(lake, catalog)
    return KeyStore(file or lake_keys_path(lake, catalog))


def _seconds(option: str, text: str | None) -> float | None:
    from casper_ray.main_job.options import parse_duration_s

    return None if text is None else parse_duration_s(option, text)


def _show(made: MadeKey, *, as_json: bool) -> None:
    from casper_ray.console.json_lines import write_object

    if as_json:
        write_object(sys.stdout, {**made.record.told(), "key": made.text})
    else:
        write_line(sys.stdout, _line(made.record))
        write_line(sys.stdout, f"key, shown once: {made.text}")


def _line(record: KeyRecord) -> str:
    state = "revoked" if record.revoked else "live" if record.live(datetime.now(UTC)) else "expired"
    until = f"until {record.expires:%Y-%m-%d %H:%M}Z" if record.expires else "no expiry"
    return f"{record.id}  {record.role:10} {state:8} {until:23} {record.prefix}  {record.name}"
