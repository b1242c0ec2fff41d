"""`casper lake fsck | repair | restore`: the part of `casper lake` that knows pipelines."""

from __future__ import annotations

import json
import sys
from typing import Annotated

import typer

from casper_ray.config import DEFAULT_LAKE, load_environment
from casper_ray.console.run_command import run_command
from casper_ray.lakehouse.command import app as app
from casper_ray.medallion.pipelines import pipeline_of

_Lake = Annotated[str, typer.Option(help="Folder of the lake.")]
_Catalog = Annotated[str, typer.Option(help="Catalog in the lake, such as caspers or bank_dev.")]
_Tables = Annotated[
    list[str] | None, typer.Argument(help="schema.table, or tables of the pipeline; none: all.")
]
_Deep = Annotated[bool, typer.Option("--deep", help="Read every data file and hold it against its digest.")]


@app.command()
def fsck(
    tables: _Tables = None,
    lake: _Lake = DEFAULT_LAKE,
    catalog: _Catalog = "caspers",
    deep: _Deep = False,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object on stdout.")] = False,
) -> None:
    """Look for what is amiss: logs, checkpoints, data files, tables behind others. 0: nothing, 1: something."""

    def action() -> int:
        from casper_ray.lakehouse.names import existing_catalog
        from casper_ray.medallion.repair import findings, full_names

        where = existing_catalog(lake, catalog)
        names = full_names(where, tables or [])
        found = findings(where, pipeline_of(where), names, deep=deep, told=_told)
        if as_json:
            typer.echo(json.dumps({"findings": [finding._asdict() for finding in found]}))
        else:
            typer.echo("\n".join(map(str, found)) or "nothing amiss")
        return 1 if found else 0

    raise typer.Exit(run_command(action, as_json=as_json))


@app.command()
def repair(
    tables: _Tables = None,
    lake: _Lake = DEFAULT_LAKE,
    catalog: _Catalog = "caspers",
    deep: _Deep = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what is amiss.")] = False,
) -> None:
    """Mend what fsck finds, from the tables' logs and the volume; what cannot be mended is refused, and said."""

    def action() -> int:
        from casper_ray.cluster import RayStarting
        from casper_ray.lakehouse.lease import every_lease
        from casper_ray.lakehouse.names import existing_catalog
        from casper_ray.medallion.fan_out import warm_up
        from casper_ray.medallion.one_pass import load_pipeline
        from casper_ray.medallion.repair import Repair, findings, full_names

        where = existing_catalog(lake, catalog)
        names, reference = full_names(where, tables or []), pipeline_of(where)
        with every_lease(where, "replay", f"{load_pipeline(reference).name}-pipeline"):
            found = findings(where, reference, names, deep=deep, told=_told)
            for finding in found:
                typer.echo(f"found: {finding}")
            if dry_run or not found:
                typer.echo("nothing was changed" if found else "nothing amiss")
                return 0
            with RayStarting(load_environment(), warm_up) as starting:
                starting.wait()
                left = Repair(catalog=where, reference=reference, told=typer.echo).run(
                    found, names, deep=deep
                )
        typer.echo("\n".join(f"still amiss: {finding}" for finding in left) or "mended")
        return 1 if left else 0

    raise typer.Exit(run_command(action))


@app.command()
def restore(
    table: Annotated[str, typer.Argument(help="schema.table, or a table of the pipeline.")],
    lake: _Lake = DEFAULT_LAKE,
    catalog: _Catalog = "caspers",
    version: Annotated[int | None, typer.Option(min=0, help="To this version.")] = None,
    as_of: Annotated[str | None, typer.Option(help="To what was known at this simulated instant.")] = None,
    at: Annotated[str | None, typer.Option(help="To what it was at this wall-clock instant.")] = None,
) -> None:
    """Put a table back to what it was, as a new version. No run may be live."""

    def action() -> int:
        from casper_ray.errors import ConfigError
        from casper_ray.lakehouse.inspect import When, located
        from casper_ray.lakehouse.lease import every_lease
        from casper_ray.lakehouse.names import existing_catalog
        from casper_ray.lakehouse.restore import restore as put_back
        from casper_ray.medallion.one_pass import load_pipeline

        where = existing_catalog(lake, catalog)
        schema, name, _ = located(where, table)
        with every_lease(where, "replay", f"{load_pipeline(pipeline_of(where)).name}-pipeline"):
            wanted = When(version, as_of, at).version_of(where, schema, name)
            if wanted is None:
                raise ConfigError("restore: to what? Give one of --version, --as-of and --at")
            made = put_back(where, schema, name, wanted)
        if made == wanted:
            typer.echo(f"{schema}.{name} is at version {wanted}; nothing was changed")
            return 0
        typer.echo(f"{schema}.{name} is now, at version {made}, what it was at version {wanted}")
        typer.echo(
            f"what batches brought since then is missing from it; "
            f"`python -m casper_ray.medallion run --refresh {name}` makes it anew from the volume"
        )
        return 0

    raise typer.Exit(run_command(action))


def _told(text: str) -> None:
    print(text, file=sys.stderr, flush=True)
