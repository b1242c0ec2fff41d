"""A pipeline that cannot run is refused before it does, with the line that is wrong."""

from __future__ import annotations

import re
from pathlib import Path

import polars as pl
import pyarrow as pa
import pytest

from casper_ray.medallion.columns import Parsed, no_rejects
from casper_ray.medallion.declare import Append, Merge, Pipeline, Source, Split, Table
from casper_ray.medallion.graph import PipelineError, checked_tables, ordered_tables
from casper_ray.medallion.kitchen.pipeline import PIPELINE

A = pa.schema([("a", pa.int64())])
AB = pa.schema([("a", pa.int64()), ("b", pa.int64())])

SOURCE = Source(
    volume="events",
    schema="simulator",
    columns=AB,
    event_time="a",
    parse=lambda data: Parsed(pl.DataFrame(), no_rejects(), 0),
    window_of=lambda name: None,
)


def only_a(rows: pl.DataFrame) -> pl.DataFrame:
    return rows.select("a")


def pipeline(*tables: Table) -> Pipeline:
    return Pipeline(name="test", catalog="test", schema="s", sources=(SOURCE,), tables=tables)


def marked(mark: str) -> str:
    """file:line of the line of this file that follows a comment of this mark."""
    lines = Path(__file__).read_text().splitlines()
    (number,) = [number for number, line in enumerate(lines, 1) if line.strip() == f"# <- {mark}"]
    return f"{__file__}:{number + 1}"


def refusal(*tables: Table) -> str:
    with pytest.raises(PipelineError) as caught:
        checked_tables(pipeline(*tables))
    assert "\n" not in str(caught.value)
    return str(caught.value)


def appended(name: str, reads: str) -> Table:
    return Table(name=name, reads=reads, grain="", schema=A, update=Append(), transform=only_a)


def test_tables_come_after_the_ones_they_read() -> None:
    tables = [appended("c", "b"), appended("b", "a"), appended("a", "volume:events"), appended("d", "a")]
    names = [table.name for table in ordered_tables(pipeline(*tables))]
    assert sorted(names) == ["a", "b", "c", "d"]
    assert names.index("a") < names.index("b") < names.index("c")
    assert names.index("a") < names.index("d")


def test_the_kitchens_pipeline_passes() -> None:
    assert {table.name for table in checked_tables(PIPELINE)} == {table.name for table in PIPELINE.tables}


def test_a_cycle_is_refused_at_one_of_its_tables() -> None:
    # <- one
    one = Table(name="one", reads="two", grain="", schema=A, update=Append(), transform=only_a)
    # <- two
    two = Table(name="two", reads="one", grain="", schema=A, update=Append(), transform=only_a)
    told = refusal(one, two)
    assert told.startswith((marked("one"), marked("two")))
    assert re.search(r"in a cycle: (one <- two <- one|two <- one <- two)$", told)


def test_a_table_that_reads_itself_is_a_cycle() -> None:
    assert "tables read each other in a cycle: x <- x" in refusal(appended("x", "x"))


def test_a_missing_source_is_refused_where_it_is_asked_for() -> None:
    # <- lost
    lost = Table(name="lost", reads="nowhere", grain="", schema=A, update=Append(), transform=only_a)
    told = refusal(appended("a", "volume:events"), lost)
    assert told.startswith(f"{marked('lost')}: table 'lost' reads 'nowhere', which is not declared")
    assert told.endswith("declared are ['a', 'lost'] and 'volume:events'")


def test_a_name_declared_twice_is_refused_with_both_places() -> None:
    # <- first
    first = Table(name="x", reads=SOURCE.name, grain="", schema=A, update=Append(), transform=only_a)
    # <- again
    again = Table(name="x", reads=SOURCE.name, grain="", schema=A, update=Append(), transform=only_a)
    assert refusal(first, again) == f"{marked('again')}: table 'x' was declared before, at {marked('first')}"


def asks_too_much(rows: pl.DataFrame) -> pl.DataFrame:
    kept = rows.filter(pl.col("a") > 0)
    # <- colour
    return kept.select("a", "colour")


def test_an_unknown_column_is_refused_at_the_line_that_asks_for_it() -> None:
    table = Table(name="t", reads=SOURCE.name, grain="", schema=A, update=Append(), transform=asks_too_much)
    told = refusal(table)
    assert told.startswith(f"{marked('colour')}: table 't' asks 'volume:events' for ")
    assert "colour" in told
    assert told.endswith("it has ['a', 'b']")


def test_a_column_that_only_the_table_before_had_is_unknown() -> None:
    table = Table(
        name="t", reads="a", grain="", schema=A, update=Append(), transform=lambda rows: rows.select("b")
    )
    assert "table 't' asks 'a' for" in refusal(appended("a", SOURCE.name), table)


# <- more
def returns_more(rows: pl.DataFrame) -> pl.DataFrame:
    return rows.select("a", "b")


@pytest.mark.parametrize("split", [False, True])
def test_other_columns_than_declared_are_refused_at_the_transform(split: bool) -> None:
    # <- splitting
    def splitting(rows: pl.DataFrame) -> Split:
        return Split(rows, no_rejects())

    transform = splitting if split else returns_more
    table = Table(name="t", reads=SOURCE.name, grain="", schema=A, update=Append(), transform=transform)
    told = refusal(table)
    assert told.startswith(
        f"{marked('splitting' if split else 'more')}: table 't': its transform returns ['a', 'b']"
    )
    assert told.endswith("its schema declares ['a']")


def test_columns_that_finish_adds_count_as_returned() -> None:
    update = Merge(keys=("a",), finish=lambda rows: rows.with_columns(b=pl.lit(1)))
    table = Table(name="t", reads=SOURCE.name, grain="", schema=AB, update=update, transform=only_a)
    assert checked_tables(pipeline(table)) == (table,)


@pytest.mark.parametrize(
    ("what", "changes"),
    [
        ("partition_by", {"partition_by": ("z",)}),
        ("stats", {"stats": ("a", "z")}),
        ("keys", {"update": Merge(keys=("z",))}),
        ("sums", {"update": Merge(keys=("a",), sums=("z",))}),
        ("lowest", {"update": Merge(keys=("a",), lowest=("z",))}),
        ("highest", {"update": Merge(keys=("a",), highest=("z",))}),
        ("segment", {"update": Merge(keys=("a",), segment="z")}),
    ],
)
def test_a_declaration_that_names_an_unknown_column_is_refused(what: str, changes: dict[str, object]) -> None:
    plain = {
        "name": "t",
        "reads": SOURCE.name,
        "grain": "",
        "schema": A,
        "update": Append(),
        "transform": only_a,
    }
    # <- declaration
    table = Table(**(plain | changes))  # type: ignore[arg-type]  # of several types
    told = refusal(table)
    assert told.startswith(f"{marked('declaration')}: table 't': {what} names unknown columns ['z']")


def test_checking_runs_transforms_on_no_rows_at_all() -> None:
    seen: list[int] = []

    def counting(rows: pl.DataFrame) -> pl.DataFrame:
        seen.append(rows.height)
        return only_a(rows)

    table = Table(name="t", reads=SOURCE.name, grain="", schema=A, update=Append(), transform=counting)
    checked_tables(pipeline(table))
    assert seen == [0]
