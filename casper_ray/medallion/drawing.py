"""A pipeline's graph, for people and for programs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from casper_ray.medallion.declare import Append, Pipeline, Table


def graph_lines(pipeline: Pipeline, tables: Sequence[Table]) -> list[str]:
    """The graph as a tree, each table with its grain, how it updates, its partition, where it is declared."""
    return [
        f"pipeline {pipeline.name}: schema {pipeline.catalog}.{pipeline.schema}, {len(tables)} tables",
        pipeline.source.name,
        *_branches(pipeline.source.name, tables, ""),
    ]


def graph_json(pipeline: Pipeline, tables: Sequence[Table]) -> dict[str, Any]:
    """The graph as data."""
    return {
        "pipeline": pipeline.name,
        "catalog": pipeline.catalog,
        "schema": pipeline.schema,
        "source": pipeline.source.name,
        "tables": [
            {
                "name": table.name,
                "reads": table.reads,
                "grain": table.grain,
                "update": _update(table),
                "partition_by": list(table.partition_by),
                "columns": {field.name: str(field.type) for field in table.schema},
                "declared_at": str(table.declared_at),
            }
            for table in tables
        ],
    }


def _branches(name: str, tables: Sequence[Table], indent: str) -> Iterator[str]:
    children = [table for table in tables if table.reads == name]
    for child in children:
        last = child is children[-1]
        yield f"{indent}{'└─' if last else '├─'} {child.name}: {child.grain}"
        deeper = indent + ("   " if last else "│  ")
        partition = f", by {', '.join(child.partition_by)}" if child.partition_by else ""
        yield f"{deeper}   {_update(child)}{partition}; {child.declared_at}"
        yield from _branches(child.name, tables, deeper)


def _update(table: Table) -> str:
    if isinstance(table.update, Append):
        return "append"
    return f"merge on {', '.join(table.update.keys)}"
