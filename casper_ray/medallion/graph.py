"""The graph of a pipeline's tables, checked before anything runs."""

from __future__ import annotations

import graphlib
import inspect
import traceback
from collections.abc import Mapping
from typing import Any

import polars as pl
import pyarrow as pa

from casper_ray.errors import UserError
from casper_ray.medallion.columns import TRACE
from casper_ray.medallion.declare import Merge, Pipeline, Split, Table, View
from casper_ray.medallion.expectations import Expectation
from casper_ray.medallion.hiding import with_seals
from casper_ray.medallion.lookups import with_lookups
from casper_ray.medallion.quality import Quality
from casper_ray.medallion.source_line import SourceLine
from casper_ray.security.domains import Domain


class PipelineError(UserError):
    """A pipeline that cannot run, and the line that says so."""


def ordered_tables(pipeline: Pipeline) -> tuple[Table, ...]:
    """The tables, each after the one it reads.

    Raises: PipelineError for a name declared twice, a missing source, a cycle.
    """
    by_name = _by_name(pipeline)
    sources = [source.name for source in pipeline.sources]
    for table in pipeline.tables:
        for name in table.inputs:
            if name not in sources and name not in by_name:
                raise PipelineError(
                    f"{table.declared_at}: table {table.name!r} reads {name!r}, which is not declared",
                    f"declared are {sorted(by_name)} and {', '.join(map(repr, sources))}",
                )
    sorter = graphlib.TopologicalSorter(
        {table.name: set(table.inputs) & by_name.keys() for table in pipeline.tables}
    )
    try:
        return tuple(by_name[name] for name in sorter.static_order())
    except graphlib.CycleError as error:
        cycle: list[str] = error.args[1]
        raise PipelineError(
            f"{by_name[cycle[0]].declared_at}: tables read each other in a cycle: {' <- '.join(cycle)}"
        ) from None


def checked_tables(pipeline: Pipeline) -> tuple[Table, ...]:
    """`ordered_tables`, after each transform was tried on an empty frame of what it reads.

    Raises: PipelineError, pointing at the line of the transform or of the declaration, where a transform
    asks for a column that is not there, or returns other columns than its table declares.
    """
    tables = ordered_tables(pipeline)
    columns = _source_columns(pipeline)
    _check_watermarks(pipeline)
    for table in tables:
        _check_declaration(table)
        _check_alike(table, columns)
        read = _columns_read(table, columns)
        _check_hidden(table, read)
        _check_transform(table, read)
        columns[table.name] = table.schema
    return tables


def check_rules(pipeline: Pipeline, quality: Quality) -> None:
    """Each rule tried on an empty frame of what its table is made of.

    Raises: PipelineError for a rule that is no SQL, asks for a column that is not there, or does not say of each
    row by itself whether it passes.
    """
    tables = {table.name: table for table in pipeline.tables}
    columns = _source_columns(pipeline) | {table.name: table.schema for table in pipeline.tables}
    for name, rules in quality.rules.items():
        table = tables[name]
        made = table.transform(_empty(_columns_read(table, columns)))
        rows = made.rows if isinstance(made, Split) else made
        for rule in rules:
            _check_rule(name, rule, rows)


def _check_rule(table: str, rule: Expectation, rows: pl.DataFrame) -> None:
    where = f"table {table!r}, rule {rule.name!r}: {rule.sql!r}"
    try:
        asked = pl.sql_expr(rule.sql)
        answer = rows.select(asked.alias("passes"))
    except pl.exceptions.ColumnNotFoundError as error:
        raise PipelineError(
            f"{where} asks for {str(error).splitlines()[0]}", f"columns are {rows.columns}"
        ) from None
    except (pl.exceptions.PolarsError, TypeError) as error:
        raise PipelineError(f"{where} cannot be evaluated: {str(error).splitlines()[0]}") from None
    if answer.height or answer.schema["passes"] != pl.Boolean:
        raise PipelineError(f"{where} does not say of each row whether it passes", "expected a boolean a row")
    if not _is_of_one_row(asked, rows.schema):
        raise PipelineError(
            f"{where} looks at other rows, too",
            "a rule sees one block of a batch; aggregates and windows would depend on how it was cut",
        )


def _is_of_one_row(expression: pl.Expr, schema: pl.Schema) -> bool:
    """Whether each part of it can be worked out for a row by itself; polars answers for one part at a time."""
    if expression.meta.is_literal():
        return True
    try:
        alone = expression.meta.is_row_separable()
    except (
        pl.exceptions.ColumnNotFoundError
    ):  # of parts whose types decide how they are made: none looks around
        alone = True
    return alone and all(_is_of_one_row(part, schema) for part in expression.meta.pop(schema=schema))


def _check_watermarks(pipeline: Pipeline) -> None:
    """One table, a view of the source, may say which rows count: it is worked out once, before any table."""
    sources = [source.name for source in pipeline.sources]
    marked = [table for table in pipeline.tables if table.watermark]
    for table in marked:
        alone = [other.reads for other in marked].count(table.reads) == 1
        if not alone or table.reads not in sources or not isinstance(table.update, View):
            raise PipelineError(
                f"{table.declared_at}: table {table.name!r}: only one view, of the source itself, can have a "
                f"watermark",
                f"declared by {[t.name for t in marked]}",
            )


def _source_columns(pipeline: Pipeline) -> dict[str, pa.Schema]:
    return {source.name: source.columns for source in pipeline.sources}


def _columns_read(table: Table, columns: Mapping[str, pa.Schema]) -> pa.Schema:
    return with_seals(with_lookups(columns[table.inputs[0]], table.lookups), table)


def _check_hidden(table: Table, read: pa.Schema) -> None:
    """Raises: PipelineError for a hidden column that is not there, or a domain that is none."""
    hiding = [*table.tokens.items(), *table.seals.values()]
    for column, domain in hiding:
        if column not in read.names or domain not in set(Domain):
            raise PipelineError(
                f"{table.declared_at}: table {table.name!r}: cannot hide {column!r} as {domain!r}",
                f"columns are {read.names}; domains are {[str(known) for known in Domain]}",
            )


def _check_alike(table: Table, columns: Mapping[str, pa.Schema]) -> None:
    """Raises: PipelineError where a table reads several that do not have the same columns."""
    first, *others = table.inputs
    for other in others:
        if not columns[other].equals(columns[first]):
            raise PipelineError(
                f"{table.declared_at}: table {table.name!r} reads {first!r} and {other!r}, which have not the same "
                f"columns",
                f"{columns[first].names} and {columns[other].names}",
            )


def _by_name(pipeline: Pipeline) -> dict[str, Table]:
    by_name: dict[str, Table] = {}
    for table in pipeline.tables:
        if other := by_name.get(table.name):
            raise PipelineError(
                f"{table.declared_at}: table {table.name!r} was declared before, at {other.declared_at}"
            )
        by_name[table.name] = table
    return by_name


def _check_declaration(table: Table) -> None:
    present = set(table.schema.names)
    named = {
        "partition_by": table.partition_by,
        "stats": table.stats,
        "samples": table.samples,
    } | _merge_columns(table.update)
    for what, names in named.items():
        if unknown := set(names) - present:
            raise PipelineError(
                f"{table.declared_at}: table {table.name!r}: {what} names unknown columns {sorted(unknown)}",
                f"its schema has {table.schema.names}",
            )


def _merge_columns(update: object) -> dict[str, tuple[str, ...]]:
    if not isinstance(update, Merge):
        return {}
    return {
        "keys": update.keys,
        "sums": update.sums,
        "lowest": update.lowest,
        "highest": update.highest,
        "segment": (update.segment,) if update.segment else (),
    }


def _check_transform(table: Table, reads: pa.Schema) -> None:
    try:
        made = table.transform(_empty(reads))
        rows = made.rows if isinstance(made, Split) else made
        if isinstance(table.update, Merge) and table.update.finish:
            rows = table.update.finish(rows)
    except pl.exceptions.ColumnNotFoundError as error:
        missing = str(error).splitlines()[0].strip()
        raise PipelineError(
            f"{_transform_line(table, error)}: table {table.name!r} asks {_names(table)} for {missing}",
            f"it has {reads.names}",
        ) from None
    except pl.exceptions.PolarsError as error:
        raise PipelineError(
            f"{_transform_line(table, error)}: table {table.name!r}: its transform fails on no rows: "
            f"{str(error).splitlines()[0]}"
        ) from None
    expected = set(table.schema.names)
    if set(rows.columns) - set(TRACE) != expected - set(TRACE):
        raise PipelineError(
            f"{_transform_line(table, None)}: table {table.name!r}: its transform returns {sorted(rows.columns)}",
            f"its schema declares {sorted(expected)}",
        )


def _names(table: Table) -> str:
    return " and ".join(map(repr, table.inputs))


def _empty(schema: pa.Schema) -> pl.DataFrame:
    return pl.DataFrame(schema=pl.Schema(schema))


def _transform_line(table: Table, error: Exception | None) -> SourceLine:
    """The line in the transform's own file that failed; else where the transform begins."""
    target: Any = inspect.unwrap(table.transform)
    code = getattr(target, "__code__", None)
    if code is None:
        return table.declared_at
    frames = traceback.extract_tb(error.__traceback__) if error else []
    lines = [f.lineno for f in frames if f.filename == code.co_filename and f.lineno is not None]
    return SourceLine(code.co_filename, lines[-1] if lines else code.co_firstlineno)
