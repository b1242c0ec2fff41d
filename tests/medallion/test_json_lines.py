"""Every line becomes a row, or is kept with its reason; none vanishes."""

from __future__ import annotations

import json
from typing import NamedTuple

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from casper_ray.medallion.columns import LINE, REJECT_SCHEMA, SOURCE_FILE, Parsed
from casper_ray.medallion.json_lines import parse_json_lines, refused_rows

SCHEMA = {"id": pl.String(), "n": pl.Int32()}
GOOD = b'{"id": "a", "n": 1}'


class Bad(NamedTuple):
    """A line that is no row, and what is to be said of it."""

    line: bytes
    reason: str


BAD = {
    "torn": Bad(GOOD[:12], "not valid JSON"),
    "torn in a string": Bad(GOOD[:9], "not valid JSON"),
    "no JSON": Bad(b"id,n", "not valid JSON"),
    "NUL bytes": Bad(b"\0" * 16, "not valid JSON"),
    "a NUL byte before": Bad(b"\0" + GOOD, "not valid JSON"),
    "a NUL byte after": Bad(GOOD + b"\0", "not valid JSON"),
    "a raw NUL in a string": Bad(GOOD.replace(b'"a"', b'"\0"'), "not valid JSON"),
    "latin-1": Bad(GOOD.replace(b'"a"', b'"\xe9"'), "not UTF-8"),
    "UTF-16": Bad(GOOD.decode().encode("utf-16"), "not UTF-8"),
    "a byte order mark": Bad(b"\xef\xbb\xbf" + GOOD, "not valid JSON"),
    "NaN": Bad(b'{"id": "a", "n": NaN}', "not valid JSON"),
    "Infinity": Bad(b'{"id": "a", "n": -Infinity}', "not valid JSON"),
    "single quotes": Bad(GOOD.replace(b'"', b"'"), "not valid JSON"),
    "a comment": Bad(b"// " + GOOD, "not valid JSON"),
    "two objects": Bad(GOOD + GOOD, "not valid JSON"),
    "two objects with a space": Bad(GOOD + b" " + GOOD, "not valid JSON"),
    "a comma after": Bad(GOOD + b",", "not valid JSON"),
    "a leading zero": Bad(b'{"id": "a", "n": 01}', "not valid JSON"),
    "nested too deep": Bad(b'{"id": "a", "n": 1, "z": ' + b"[" * 5000 + b"]" * 5000 + b"}", "not valid JSON"),
    "an array": Bad(b"[" + GOOD + b"]", "not a JSON object"),
    "an empty array": Bad(b"[]", "not a JSON object"),
    "an array of two": Bad(b"[" + GOOD + b"," + GOOD + b"]", "not a JSON object"),
    "null": Bad(b"null", "not a JSON object"),
    "a number": Bad(b"5", "not a JSON object"),
    "a string": Bad(b'"a"', "not a JSON object"),
    "a number as a string": Bad(b'{"id": "a", "n": "1"}', "wrong type: expected Int32"),
    "a number with a fraction": Bad(b'{"id": "a", "n": 1.5}', "wrong type: expected Int32"),
    "a truth value": Bad(b'{"id": "a", "n": true}', "wrong type: expected Int32"),
    "a list for a number": Bad(b'{"id": "a", "n": [1]}', "wrong type: expected Int32"),
    "a number too large": Bad(b'{"id": "a", "n": 3000000000}', "wrong type: expected Int32"),
    "a number beyond 64 bits": Bad(b'{"id": "a", "n": 1%s}' % (b"0" * 40), "not valid JSON"),
    "an empty object": Bad(b"{}", "missing or null: id, n"),
    "a missing field": Bad(b'{"id": "a"}', "missing or null: n"),
    "a null field": Bad(b'{"id": null, "n": 1}', "missing or null: id"),
    "a field of other case": Bad(b'{"ID": "a", "n": 1}', "missing or null: id"),
}

GOOD_LINES = {
    "plain": GOOD,
    "spaces around": b" \t" + GOOD + b"  ",
    "more fields": b'{"more": {"x": [1, null]}, "id": "a", "n": 1, "z": null}',
    "fields in another order": b'{"n": 1, "id": "a"}',
    "escapes": b'{"id": "\\u0061", "n": 1}',
}


def rows_of(parsed: Parsed) -> list[tuple[str, int]]:
    return parsed.events.drop(LINE).rows()


@pytest.mark.parametrize("name", GOOD_LINES)
def test_a_good_line_is_a_row(name: str) -> None:
    parsed = parse_json_lines(GOOD_LINES[name] + b"\n", SCHEMA)
    assert rows_of(parsed) == [("a", 1)]
    assert parsed.rejected.height == 0


@pytest.mark.parametrize("name", BAD)
def test_a_bad_line_is_kept_with_its_place_and_reason(name: str) -> None:
    bad = BAD[name]
    parsed = parse_json_lines(GOOD + b"\n" + bad.line + b"\n" + GOOD + b"\n", SCHEMA)
    assert rows_of(parsed) == [("a", 1), ("a", 1)]
    (rejected,) = parsed.rejected.rows(named=True)
    assert (rejected["byte_offset"], rejected["line_bytes"]) == (len(GOOD) + 1, len(bad.line))
    assert (rejected["line_number"], parsed.events[LINE].to_list(), parsed.lines) == (1, [0, 2], 3)
    assert rejected["reason"] == bad.reason
    assert rejected["line"] == bad.line.decode(errors="backslashreplace")


@pytest.mark.parametrize("name", BAD)
def test_a_bad_line_alone_is_rejected_the_same_way(name: str) -> None:
    parsed = parse_json_lines(BAD[name].line, SCHEMA)
    assert parsed.events.height == 0
    assert parsed.rejected["reason"].to_list() == [BAD[name].reason]


def test_a_reason_quotes_nothing_of_the_line() -> None:
    line = b'{"id": "a", "n": "Ann Person, 1 Quay St"}'
    (reason,) = parse_json_lines(line, SCHEMA).rejected["reason"]
    assert "Ann" not in reason


def test_of_a_field_given_twice_the_first_counts() -> None:
    assert rows_of(parse_json_lines(b'{"id": "a", "n": 1, "n": 2}', SCHEMA)) == [("a", 1)]


@pytest.mark.parametrize("data", [b"", b"\n", b"\n\n\r\n", b"  \n\t\n", b"\r\n"])
def test_blank_lines_are_nothing(data: bytes) -> None:
    parsed = parse_json_lines(data, SCHEMA)
    assert (parsed.events.height, parsed.rejected.height) == (0, 0)
    assert dict(parsed.events.schema) == {**SCHEMA, LINE: pl.Int32()}
    assert parsed.lines == 0
    assert dict(parsed.rejected.schema) == REJECT_SCHEMA


@pytest.mark.parametrize("end", [b"\n", b"\r\n"])
@pytest.mark.parametrize("last", [b"", b"\n", b"\r\n"])
def test_line_ends_of_either_kind_and_none_at_the_end(end: bytes, last: bytes) -> None:
    parsed = parse_json_lines(GOOD + end + GOOD + last, SCHEMA)
    assert (parsed.events.height, parsed.rejected.height) == (2, 0)


def test_two_objects_on_a_line_are_not_made_up_for_by_a_blank_one() -> None:
    parsed = parse_json_lines(GOOD + GOOD + b"\n\t\n" + GOOD, SCHEMA)
    assert (parsed.events.height, parsed.rejected.height) == (1, 1)


def test_a_line_of_ten_megabytes_is_a_row() -> None:
    long = json.dumps({"id": "x" * 10_000_000, "n": 1}).encode()
    parsed = parse_json_lines(GOOD + b"\n" + long + b"\n", SCHEMA)
    assert parsed.events["id"].str.len_bytes().to_list() == [1, 10_000_000]


def test_of_a_bad_line_of_ten_megabytes_the_beginning_is_kept() -> None:
    long = b'{"id": "' + b"x" * 10_000_000
    parsed = parse_json_lines(GOOD + b"\n" + long + b"\n" + GOOD, SCHEMA)
    assert parsed.events.height == 2
    (rejected,) = parsed.rejected.rows(named=True)
    assert rejected["line_bytes"] == len(long)
    assert rejected["line"] == long[:65_536].decode()


lines = st.one_of(
    st.integers(0, 999).map(lambda n: b'{"id": "r%d", "n": %d}' % (n, n)),
    st.sampled_from([b"", b"  ", b"\t", b"\r"]),
    st.sampled_from([bad.line for bad in BAD.values() if b"\n" not in bad.line]),
    st.binary(max_size=12).map(lambda data: data.replace(b"\n", b"")),
)


def alone_of(numbered: list[bytes], parsed: Parsed) -> list[Parsed]:
    """The lines that the rows say they come from, each parsed by itself."""
    return [parse_json_lines(numbered[number], SCHEMA) for number in parsed.events[LINE]]


@given(st.lists(st.tuples(lines, st.sampled_from([b"\n", b"\r\n"])), max_size=40), st.booleans())
def test_rows_and_rejects_are_the_lines_that_are_not_blank(mix: list[tuple[bytes, bytes]], cut: bool) -> None:
    data = b"".join(line + end for line, end in mix)
    data = data[:-1] if cut else data
    parsed = parse_json_lines(data, SCHEMA)
    given_lines = [line for line in data.split(b"\n") if line.strip()]
    assert parsed.events.height + parsed.rejected.height == parsed.lines == len(given_lines)
    numbered = data.split(b"\n")
    assert [row for one in alone_of(numbered, parsed) for row in rows_of(one)] == rows_of(parsed)
    for rejected in parsed.rejected.iter_rows(named=True):
        start = rejected["byte_offset"]
        found = data[start : start + rejected["line_bytes"]]
        assert found.decode(errors="backslashreplace") == rejected["line"]
        assert start == 0 or data[start - 1 : start] == b"\n"
        assert data[start + len(found) :][:1] in (b"", b"\n")
    alone = [parse_json_lines(line, SCHEMA) for line in given_lines]
    assert rows_of(parsed) == [row for one in alone for row in rows_of(one)], (
        "as if each stood alone, in order"
    )
    assert sum(one.rejected.height for one in alone) == parsed.rejected.height


def test_rows_that_cannot_be_used_are_kept_as_json() -> None:
    rows = pl.DataFrame({"id": ["a"], "n": [1], SOURCE_FILE: ["x.json"], LINE: [7]})
    (refused,) = refused_rows(rows, "too small").rows(named=True)
    assert (refused["source_file"], refused["line_number"], refused["reason"]) == ("x.json", 7, "too small")
    assert json.loads(refused["line"]) == {"id": "a", "n": 1}
    assert refused["line_bytes"] == len(refused["line"])
    assert refused["byte_offset"] is None


def test_a_blank_line_does_not_make_up_for_two_objects_on_one() -> None:
    parsed = parse_json_lines(GOOD + b"\n\n" + GOOD + GOOD + b"\n", SCHEMA)
    assert parsed.events.height == 1
    assert parsed.rejected.height == 1


def test_an_optional_field_may_be_missing_and_the_others_may_not() -> None:
    parsed = parse_json_lines(b'{"n": 1}\n{"id": null, "n": 2}\n{"id": "c"}\n', SCHEMA, optional=("id",))
    assert rows_of(parsed) == [(None, 1), (None, 2)]
    assert parsed.rejected["reason"].to_list() == ["missing or null: n"]
