"""Rules from YAML, put to those that a pipeline declares in code."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, field_validator

from casper_ray.config_files import checked, configs_dir, load_mapping
from casper_ray.domain.time import duration_s
from casper_ray.errors import ConfigError
from casper_ray.medallion.declare import Pipeline
from casper_ray.medallion.expectations import Action, Expectation
from casper_ray.medallion.quality import Quality

NO_RULES = "none"


class _Spec(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=False)


class RuleSpec(_Spec):
    """One rule, see `Expectation`. owner: None is the file's."""

    name: str = Field(min_length=1)
    sql: str = Field(min_length=1)
    action: Action
    tags: tuple[str, ...] = ()
    owner: str | None = None


class TableSpec(_Spec):
    """A table's rules, and how late its rows may come, as `3h` (for a table that has a watermark)."""

    watermark: str | None = None
    expectations: tuple[RuleSpec, ...] = ()

    @field_validator("watermark")
    @classmethod
    def _is_a_duration(cls, text: str | None) -> str | None:
        if text is not None and duration_s(text) is None:
            raise ValueError(f"saw {text!r}, expected a duration above 0, such as 90m or 3h")
        return text


class QualitySpec(_Spec):
    """A file of configs/quality. owner: of the rules that name none."""

    owner: str = ""
    tables: dict[str, TableSpec] = {}


def resolve_quality(pipeline: Pipeline, asked: str | None = None) -> Quality:
    """The pipeline's rules: those declared in code, then those of a file.

    asked: a name in configs/quality, a .yml file, or `none` for no rules at all; None: the pipeline's own file.
    Raises: ConfigError for a file that is not there or does not fit the pipeline.
    """
    declared = {table.name: table.expectations for table in pipeline.tables}
    lateness = {table.name: table.watermark.lateness for table in pipeline.tables if table.watermark}
    name = asked or pipeline.quality
    if name is None:
        return _quality(declared, lateness)
    if name == NO_RULES:
        return _quality({}, lateness)
    path = _path(name)
    spec = checked(QualitySpec, load_mapping(path), str(path))
    _check_tables(pipeline, spec, path)
    for table, of_table in spec.tables.items():
        declared[table] += tuple(_expectation(rule, spec.owner) for rule in of_table.expectations)
        _check_names(table, declared[table], path)
        if of_table.watermark and (seconds := duration_s(of_table.watermark)) is not None:
            lateness[table] = timedelta(seconds=seconds)
    return _quality(declared, lateness)


def _quality(rules: dict[str, tuple[Expectation, ...]], lateness: dict[str, timedelta]) -> Quality:
    return Quality(
        rules={table: of_table for table, of_table in rules.items() if of_table},
        lateness_us={table: late // timedelta(microseconds=1) for table, late in lateness.items()},
    )


def _path(name: str) -> Path:
    if name.endswith((".yml", ".yaml")):
        path = Path(name)
        if not path.is_file():
            raise ConfigError(f"quality {name}: there is no such file")
        return path
    path = configs_dir() / "quality" / f"{name}.yml"
    if not path.is_file():
        known = ", ".join(sorted(found.stem for found in path.parent.glob("*.yml")))
        raise ConfigError(f"quality {name!r}: unknown", f"known are {known}, {NO_RULES}, or a .yml file")
    return path


def _check_tables(pipeline: Pipeline, spec: QualitySpec, path: Path) -> None:
    tables = {table.name: table for table in pipeline.tables}
    if unknown := spec.tables.keys() - tables.keys():
        raise ConfigError.unknown_keys(f"{path}: tables", set(unknown), set(tables))
    for name, of_table in spec.tables.items():
        if of_table.watermark and tables[name].watermark is None:
            raise ConfigError(
                f"{path}: tables.{name}.watermark: the table has none",
                f"one is declared by {sorted(t.name for t in pipeline.tables if t.watermark)}",
            )


def _check_names(table: str, rules: tuple[Expectation, ...], path: Path) -> None:
    names = [rule.name for rule in rules]
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise ConfigError(f"{path}: tables.{table}: rules of one name {twice}", "each needs its own")


def _expectation(rule: RuleSpec, owner: str) -> Expectation:
    return Expectation(
        name=rule.name,
        sql=rule.sql,
        action=rule.action,
        tags=rule.tags,
        owner=owner if rule.owner is None else rule.owner,
    )
