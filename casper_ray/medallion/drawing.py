"""A pipeline's graph, for people and for programs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict
from typing import Any

from casper_ray.medallion.declare import Append, Merge, Pipeline, Table
from casper_ray.medallion.quality import Quality


def graph_lines(pipeline: Pipeline, tables: Sequence[Table], quality: Quality) -> list[str]:
    """The graph as a tree: of each table the grain, update, partition, the line that declares it, and its rules."""
    return [
        f"pipeline {pipeline.name}: schema {pipeline.catalog}.{pipeline.schema}, {len(tables)} tables",
        *(
            line
            for source in pipeline.sources
            for line in (source.name, *_branches(source.name, tables, quality, ""))
        ),
    ]


def graph_json(pipeline: Pipeline, tables: Sequence[Table], quality: Quality) -> dict[str, Any]:
    """The graph as data."""
    return {
        "pipeline": pipeline.name,
        "catalog": pipeline.catalog,
        "schema": pipeline.schema,
        "sources": [source.name for source in pipeline.sources],
        "tables": [
            {
                "name": table.name,
                "reads": list(table.inputs),
                "grain": table.grain,
                "update": _update(table),
                "partition_by": list(table.partition_by),
                "columns": {field.name: str(field.type) for field in table.schema},
                "expectations": [asdict(rule) for rule in quality.of(table.name)],
                "declared_at": str(table.declared_at),
            }
            for table in tables
        ],
    }


def _branches(name: str, tables: Sequence[Table], quality: Quality, indent: str) -> Iterator[str]:
    children = [table for table in tables if table.inputs[0] == name]
    for child in children:
        last = child is children[-1]
        yield f"{indent}{'└─' if last else '├─'} {child.name}: {child.grain}"
        deeper = indent + ("   " if last else "│  ")
        partition = f", by {', '.join(child.partition_by)}" if child.partition_by else ""
        besides = f"; reads {', '.join(child.inputs[1:])} too" if child.inputs[1:] else ""
        yield f"{deeper}   {_update(child)}{partition}{besides}; {child.declared_at}"
        for rule in quality.of(child.name):
            yield f"{deeper}   {rule.action:10} {rule.name}: {rule.sql}"
        yield from _branches(child.name, tables, quality, deeper)


def _update(table: Table) -> str:
    if isinstance(table.update, Append):
        return "append"
    if isinstance(table.update, Merge):
        return f"merge on {', '.join(table.update.keys)}"
    return "view" if table.watermark is None else f"view; each {table.watermark.key} once, in time"
