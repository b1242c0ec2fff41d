"""`casper quality show`: rules in figures, as lines and as JSON."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from casper_ray.console import figures
from casper_ray.domain.time import sim_micros
from casper_ray.medallion.report.figures import RuleFigures
from casper_ray.medallion.report.words import cut, share

_HEAD = ("rule", "table", "action", "passed", "failed", "share", "stops", "last failure", "owner", "tags")
_NUMBERS = {"passed", "failed", "share", "stops"}
_CELL_CHARS = 32
_GAP = "  "


def rule_lines(rules: list[RuleFigures]) -> Iterator[str]:
    """A line a rule under a line of heads; numbers to the right, texts cut."""
    table = [_HEAD, *(_cells(rule) for rule in rules)]
    widths = [max(len(row[column]) for row in table) for column in range(len(_HEAD))]
    for row in table:
        yield _GAP.join(map(_aligned, row, _HEAD, widths)).rstrip()


def rules_json(rules: list[RuleFigures]) -> dict[str, Any]:
    """The rules as one JSON object, without their samples."""
    return {"rules": [_rule_json(rule) for rule in rules]}


def last_failure(rule: RuleFigures) -> str:
    """The batch and, if it is known, the simulated minute of the latest failure; - if there was none."""
    if rule.last_batch is None:
        return figures.NONE
    when = rule.last_instant
    return f"batch {rule.last_batch:,}" + (
        "" if when is None else f", {figures.sim_minute(sim_micros(when))}"
    )


def _cells(rule: RuleFigures) -> tuple[str, ...]:
    texts = (
        rule.rule,
        rule.table,
        rule.action,
        figures.count(rule.passed),
        figures.count(rule.failed),
        share(rule.failed, rule.judged),
        figures.count(rule.stops),
        last_failure(rule),
        rule.owner or figures.NONE,
        ", ".join(rule.tags) or figures.NONE,
    )
    return tuple(cut(text, _CELL_CHARS) for text in texts)


def _aligned(cell: str, head: str, width: int) -> str:
    return cell.rjust(width) if head in _NUMBERS else cell.ljust(width)


def _rule_json(rule: RuleFigures) -> dict[str, Any]:
    shown = rule._asdict() | {"share_failed": rule.failed / rule.judged if rule.judged else None}
    del shown["sample"]
    instant = rule.last_instant
    return shown | {"last_instant": None if instant is None else instant.isoformat()}
