"""The summary that ends a run: laid out once, as pieces with a role; each watcher shows them its way."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal, NamedTuple

from casper_ray.console import figures
from casper_ray.console.progress import Summary
from casper_ray.domain.time import US_PER_DAY, US_PER_HOUR, US_PER_S

Role = Literal["plain", "heading", "label", "value", "warning", "command"]


class Piece(NamedTuple):
    """Some characters and what they are."""

    text: str
    role: Role = "plain"


Line = tuple[Piece, ...]


def summary_lines(summary: Summary) -> Iterator[Line]:
    """The summary, line by line, without line ends."""
    yield (Piece("Ended: ", "label"), Piece(figures.one_line(summary.ended), "heading"))
    yield from _facts(summary)
    yield ()
    yield from _tables(summary)
    if summary.next_steps:
        yield ()
        yield from _next_steps(summary)


def plain_text(line: Line) -> str:
    """The line without its roles."""
    return "".join(piece.text for piece in line).rstrip()


def _facts(summary: Summary) -> Iterator[Line]:
    span_us = summary.sim_to_us - summary.sim_from_us
    counted = f"{figures.count(summary.counted)} {summary.counted_as}"
    yield _fact(
        "simulated",
        f"{_span(span_us)} of {summary.domain}",
        f"{figures.sim_minute(summary.sim_from_us)} to {figures.sim_minute(summary.sim_to_us)}",
    )
    yield _fact(
        "replayed", f"{figures.count(summary.events)} events", f"{counted}, {summary.batches:,} batches"
    )
    speed = span_us / US_PER_S / summary.wall_s if summary.wall_s > 0 else None
    yield _fact(
        "in",
        figures.duration(summary.wall_s),
        f"{figures.count(summary.events_per_s)} events/s, {figures.speed(speed)} real time",
    )
    lag = summary.lag
    if lag.p50_ms is not None:
        rest = f"p95 {figures.lag(lag.p95_ms)}, p99 {figures.lag(lag.p99_ms)}"
        yield _fact("lag", f"p50 {figures.lag(lag.p50_ms)}", rest)
    yield _left_out(summary)


def _fact(label: str, value: str, more: str) -> Line:
    return (Piece(f"  {label:<11}", "label"), Piece(value, "value"), Piece(f"   {more}" if more else ""))


def _left_out(summary: Summary) -> Line:
    """What came in and is not in Silver and Gold."""
    label = Piece(f"  {'left out':<11}", "label")
    others = f"{summary.duplicates:,} duplicates, {summary.late:,} late, "
    rejected = f"{summary.quarantined:,} rejected"
    if not summary.quarantined:
        return (label, Piece(others + rejected))
    return (label, Piece(others), Piece(f"{rejected} (the reasons are in the quarantine table)", "warning"))


def _tables(summary: Summary) -> Iterator[Line]:
    yield (Piece(summary.catalog, "heading"), Piece(" in ", "label"), Piece(summary.lake, "value"))
    width = max((len(t.name) for t in summary.tables), default=0)
    for table in summary.tables:
        yield (
            Piece(f"  {table.name:<{width}}  "),
            Piece(f"{table.rows:>13,}", "value"),
            Piece(" rows", "label"),
            Piece(f"   version {table.version}", "label"),
        )


def _next_steps(summary: Summary) -> Iterator[Line]:
    yield (Piece("What to try next", "heading"),)
    for command, does in summary.next_steps:
        yield (Piece("  "), Piece(command, "command"))
        yield (Piece(f"      {does}", "label"),)


def _span(us: int) -> str:
    if us >= 2 * US_PER_DAY:
        return f"{figures.count(round(us / US_PER_DAY, 1))} days"
    return f"{figures.count(round(us / US_PER_HOUR, 1))} hours"
