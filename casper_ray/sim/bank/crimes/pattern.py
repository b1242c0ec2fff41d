"""What a typology is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from casper_ray.sim.bank.crimes.cast import Cast
from casper_ray.sim.bank.rows import Rows

Decision = Literal["approve", "hold", "block", "escalate"]
Agent = Literal["alert", "fraud", "credit", "screening"]
Story = Callable[[Cast], Rows]


@dataclass(frozen=True, slots=True, kw_only=True)
class Pattern:
    """A typology: a crime, its benign twin, and what is known of both.

    name, title      as scenarios write it, and as people do
    figures          its parameters in words
    source           where the figures are from
    weight           share of cases, before a scenario's factor
    rows_expected    mean number of a crime's transactions; an enrolment is none
    span_days        most days that a crime or a twin takes, the first one included
    right_decision   on a crime's transactions; a twin's are to be approved
    agent            who has to decide
    disputed         share of a crime's settled purchases that the holder of the card disputes
    twin_disputed    the same of the twin's
    crime, twin      the rows of one case; the first paragraph of the docstring says what happens
    twin_name        what the twin is, in a few words
    """

    name: str
    title: str
    figures: str
    source: str
    weight: float
    rows_expected: float
    span_days: int
    right_decision: Decision
    agent: Agent
    crime: Story
    twin: Story
    twin_name: str
    disputed: float = 0.0
    twin_disputed: float = 0.0
