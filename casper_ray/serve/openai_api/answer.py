"""A decision as an assistant would say it: JSON text, with what it took."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from casper_ray.serve.door.services import Made

TOLD: Final = (
    "decision_id",
    "agent",
    "agent_version",
    "case_id",
    "case_ts",
    "outcome",
    "gate_action",
    "gate_reasons",
    "amount",
    "final",
    "proposal",
)
"""Columns of `agents.decisions` that the answer's text has."""
_PIECE_CHARS: Final = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """text: JSON of `TOLD`. created_s: wall time of the decision. Tokens: of the model that was asked, if one was."""

    id: str
    model: str
    version: str
    created_s: int
    text: str
    prompt_tokens: int
    completion_tokens: int

    def pieces(self) -> Iterator[str]:
        """The text in pieces, as streams have it."""
        for start in range(0, len(self.text), _PIECE_CHARS):
            yield self.text[start : start + _PIECE_CHARS]


def answer_of(made: Made, agent: str) -> Answer:
    """The answer that a decision is: the same whenever it is asked for again."""
    row: dict[str, Any] = json.loads(made.decision)
    usage = row["usage"] or {}
    return Answer(
        id=made.decision_id,
        model=agent,
        version=row["agent_version"],
        created_s=int(datetime.fromisoformat(row["decided_at"]).timestamp()),
        text=json.dumps({name: row[name] for name in TOLD}, ensure_ascii=False),
        prompt_tokens=usage.get("prompt_tokens", 0),
        completion_tokens=usage.get("completion_tokens", 0),
    )
