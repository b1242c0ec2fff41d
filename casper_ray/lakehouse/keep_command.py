"""`casper lake optimize | vacuum | diff`: upkeep of tables, and what changed in one."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated

import typer

from casper_ray.config import DEFAULT_LAKE
from casper_ray.console.run_command import run_command
from casper_ray.domain.time import duration_s
from casper_ray.errors import ConfigError

_Lake = Annotated[str, typer.Option(help="Folder of the lake.")]
_Catalog = Annotated[str, typer.Option(help="Catalog in the lake, such as caspers or bank_dev.")]
_Tables = Annotated[
    list[str] | None, typer.Argument(help="schema.table, or tables of the pipeline; none: all.")
]
_SHORTEST = timedelta(hours=1)


def optimize(tables: _Tables = None, lake: _Lake = DEFAULT_LAKE, catalog: _Catalog = "caspers") -> None:
    """Put small files of append tables together; safe beside a run."""

    def action() -> int:
        from casper_ray.lakehouse.keep import optimized
        from casper_ray.lakehouse.names import existing_catalog

        for line in optimized(existing_catalog(lake, catalog), tables or []):
            typer.echo(line)
        return 0

    raise typer.Exit(run_command(action))


def vacuum(
    tables: _Tables = None,
    lake: _Lake = DEFAULT_LAKE,
    catalog: _Catalog = "caspers",
    retention: Annotated[
        str, typer.Option(help="What was replaced less long ago stays readable, as 168h or 7d.")
    ] = "7d",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would go.")] = False,
    force: Annotated[
        bool, typer.Option("--force", help="Allow a retention below an hour; no run may be live.")
    ] = False,
) -> None:
    """Remove files that nothing within the retention needs, and shorten the log; safe beside a run."""

    def action() -> int:
        from casper_ray.lakehouse.keep import vacuumed
        from casper_ray.lakehouse.names import existing_catalog

        seconds = 0.0 if retention in ("0", "0s", "0h", "0d") else duration_s(retention)
        if seconds is None:
            raise ConfigError(f"--retention: saw {retention!r}, expected a duration such as 168h or 7d")
        keep = timedelta(seconds=seconds)
        if keep < _SHORTEST and not force:
            raise ConfigError(
                f"--retention: saw {retention}, below an hour a reader or a run may still need the files",
                "--force allows it, where no run is live",
            )
        for line in vacuumed(existing_catalog(lake, catalog), tables or [], keep, dry_run=dry_run):
            typer.echo(line)
        return 0

    raise typer.Exit(run_command(action))


def diff(
    table: Annotated[str, typer.Argument(help="schema.table, or a table of the pipeline.")],
    first: Annotated[int, typer.Option("--from", min=0, help="The version before.")],
    last: Annotated[
        int | None, typer.Option("--to", min=0, help="The version after.", show_default="newest")
    ] = None,
    keys: Annotated[
        str | None, typer.Option(help="Columns, by comma, by which a changed row is the same row.")
    ] = None,
    rows: Annotated[int, typer.Option(min=1, help="How many rows.")] = 20,
    lake: _Lake = DEFAULT_LAKE,
    catalog: _Catalog = "caspers",
) -> None:
    """Rows that came and went between two versions of a table."""

    def action() -> int:
        from casper_ray.lakehouse.inspect import differing
        from casper_ray.lakehouse.names import existing_catalog

        wanted = tuple(keys.split(",")) if keys else ()
        typer.echo(differing(existing_catalog(lake, catalog), table, first, last, wanted, rows=rows))
        return 0

    raise typer.Exit(run_command(action))
