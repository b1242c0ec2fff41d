"""The reference page of the typologies, written from what they declare."""

from __future__ import annotations

import inspect
from textwrap import fill

from casper_ray.sim.bank.crimes.all import PATTERNS, code_of
from casper_ray.sim.bank.crimes.pattern import Pattern, Story

_WIDTH = 120
_HEAD = """\
# Typologies

The crimes that the bank's world knows, and beside each its benign twin: what harmlessly looks like it. Written by
`python -m casper_ray.sim.bank.crimes.page`; a test holds it against the code.

Prevalence is of the scenario: by default one transaction in a thousand is a crime's, and four twins are dealt for
each case. "Scaled" means: times how much those people are used to spend, times a log-normal factor, so that amounts
of crimes and of their twins, and of most other people, lie in one range. Hours are those of ordinary days, for a part
the night's. What gives a crime away is a combination: who, to whom, from which device, how soon after what. Benign
twins are to be approved. In truth a row of a crime carries the code of its typology, a row of a twin the code of what
it looks like.

| code | name | share of cases | transactions | right decision | agent | benign twin |
|---:|---|---:|---:|---|---|---|
"""
_MIDDLE = """
Share of cases and transactions (of a case, in the mean) are before a scenario's factors; enrolments of devices are no
transactions. Agents: `alert` (suspicious transactions), `fraud`, `credit`, `screening` (sanctions).

Sources: the simulators AMLSim, SAML-D, PaySim and Sparkov, the fraud detection handbook, FinCEN and UK Finance where
named. "Ours": no published figure was found that fits a bank of this size.
"""


def typologies_page() -> str:
    """The page as Markdown: a table of all typologies, then what happens in each."""
    total = sum(pattern.weight for pattern in PATTERNS)
    rows = [_row(code_of(place), pattern, pattern.weight / total) for place, pattern in enumerate(PATTERNS)]
    return _HEAD + "".join(rows) + _MIDDLE + "".join(_section(pattern) for pattern in PATTERNS)


def _row(code: int, pattern: Pattern, share: float) -> str:
    cells = (
        str(code),
        f"`{pattern.name}`",
        f"{share:.1%}",
        f"{pattern.rows_expected:g}",
        pattern.right_decision,
        pattern.agent,
        pattern.twin_name,
    )
    return f"| {' | '.join(cells)} |\n"


def _section(pattern: Pattern) -> str:
    points = [f"Figures: {pattern.figures}.", f"Source: {pattern.source}."]
    if pattern.disputed:
        points.append(
            f"Disputed: {pattern.disputed:.0%} of the crime's purchases, {pattern.twin_disputed:.0%} of the twin's."
        )
    points.append(f"Twin, {pattern.twin_name}: {_told(pattern.twin)}")
    listed = [fill(point, _WIDTH, initial_indent="- ", subsequent_indent="  ") for point in points]
    return "\n".join([f"\n## {pattern.title}\n", fill(_told(pattern.crime), _WIDTH), "", *listed, ""])


def _told(story: Story) -> str:
    """The first paragraph of a story's docstring, as one line."""
    return " ".join((inspect.getdoc(story) or "").split("\n\n")[0].split())


if __name__ == "__main__":
    print(typologies_page(), end="")
