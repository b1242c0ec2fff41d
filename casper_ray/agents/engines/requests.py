"""What a model is told: the agent's prompt, the case, and what its tools say, all of it data."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from casper_ray.agents.agent import Agent
from casper_ray.agents.case import Case
from casper_ray.agents.engines.replies import answer_schema
from casper_ray.agents.prompts import as_data, load_prompt
from casper_ray.agents.tools import ToolCall


def system_text(agent: Agent) -> str:
    return load_prompt(agent.prompt).text


def case_text(case: Case, calls: Sequence[ToolCall] | None = None) -> str:
    """The case, and where tools were asked before, what they told.

    JSON keeps it to lines that nothing in a value can end; what a customer wrote comes last, between its marks.
    """
    told = {"case_id": case.case_id, "kind": case.kind, "as_of": case.at.isoformat(), "subject": case.subject}
    parts = [f"Case: {_json(told)}"]
    if calls is not None:
        parts.append("What the tools tell of it, one line a call:")
        parts += [call_text(call) for call in calls]
    if case.text is not None:
        parts.append(as_data(case.text, case.case_id))
    return "\n".join(parts)


def call_text(call: ToolCall) -> str:
    """One call, as a model reads it."""
    if call.refused is not None:
        return _json({"tool": call.tool, "refused": call.refused})
    return _json({"tool": call.tool, "arguments": call.arguments, "result": call.result})


def answer_format(agent: Agent) -> dict[str, Any]:
    """`response_format` for the agent's answer."""
    schema = {"name": agent.answer.__name__, "schema": answer_schema(agent.answer), "strict": True}
    return {"type": "json_schema", "json_schema": schema}


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, default=str)
