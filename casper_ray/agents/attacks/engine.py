"""The engine that attacks are tried on: any model that is a callable, with a case's tools in its hands."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from typing import Any, Final, NamedTuple

import polars as pl
from pydantic import ValidationError

from casper_ray.agents.agent import Agent
from casper_ray.agents.case import CASES, Case
from casper_ray.agents.engines.engine import Ask
from casper_ray.agents.prompts import as_data, load_prompt
from casper_ray.agents.tools import Tool, Toolbox, ToolCall

Model = Callable[..., Mapping[str, Any]]
_STEPS: Final = 8


class Told(NamedTuple):
    """What a case's model was told and did. answer: None, there was no valid one."""

    messages: list[dict[str, Any]]
    calls: list[ToolCall]
    answer: dict[str, Any] | None


class ScriptEngine:
    """Asks a scripted model, one case after the other. told: by case, for whoever looks at what happened."""

    deterministic = True

    def __init__(self, name: str, model: Model) -> None:
        self.name = name
        self.told: dict[str, Told] = {}
        self._model = model

    @property
    def settings(self) -> Mapping[str, Any]:
        return {"name": self.name, "steps": _STEPS}

    def propose(self, ask: Ask) -> pl.DataFrame:
        rows = [
            self._row(ask, Case.of(row)) for row in ask.evidence.select(CASES.names()).iter_rows(named=True)
        ]
        answers = pl.Series(
            "answer", [row["answer"] for row in rows], dtype=pl.Struct(ask.agent.answer_schema)
        )
        rest: dict[str, Any] = {
            "sure": pl.Boolean,
            "failure": pl.String,
            "evidence": pl.List(pl.String),
            "evidence_sha256": pl.String,
            "engine": pl.String,
            "usage": pl.String,
        }
        return pl.DataFrame([{name: row[name] for name in rest} for row in rows], schema=rest).with_columns(
            answers
        )

    def _row(self, ask: Ask, case: Case) -> dict[str, Any]:
        told = conversation(self._model, ask.agent, Toolbox(ask.store, case, ask.agent.tools))
        self.told[case.case_id] = told
        content = json.dumps([call.model_dump(mode="json") for call in told.calls], sort_keys=True)
        found = [call.tool for call in told.calls if call.result and call.result["found"]]
        return {
            "answer": told.answer,
            "sure": told.answer is not None,
            "failure": None if told.answer is not None else "invalid_output",
            "evidence": list(dict.fromkeys(found)),
            "evidence_sha256": hashlib.sha256(content.encode()).hexdigest(),
            "engine": self.name,
            "usage": json.dumps({"tool_calls": len(told.calls)}),
        }


def conversation(model: Model, agent: Agent, toolbox: Toolbox) -> Told:
    """A case put to a model: what every tool tells, then whatever it calls, until it answers or steps run out."""
    messages = _opening(agent, toolbox)
    tools = [_offered(tool) for tool in agent.tools]
    asked = {
        "type": "json_schema",
        "json_schema": {"name": agent.name, "schema": agent.answer.model_json_schema()},
    }
    for _ in range(_STEPS):
        reply = dict(model(messages, tools, asked))
        messages.append(reply)
        if not reply.get("tool_calls"):
            return Told(messages, toolbox.calls, _checked(agent, reply.get("content") or ""))
        messages += [_result(toolbox, call) for call in reply["tool_calls"]]
    return Told(messages, toolbox.calls, None)


def _opening(agent: Agent, toolbox: Toolbox) -> list[dict[str, Any]]:
    case = toolbox.case
    gathered = [toolbox.call(tool.name).model_dump(mode="json") for tool in agent.tools]
    user = [f"Case {case.case_id}, as of {case.at.isoformat()}: {agent.kind} {case.subject}."]
    user += [json.dumps(call, ensure_ascii=False) for call in gathered]
    user += [as_data(case.text, case.case_id)] if case.text is not None else []
    system = load_prompt(agent.prompt).text
    return [{"role": "system", "content": system}, {"role": "user", "content": "\n".join(user)}]


def _offered(tool: Tool) -> dict[str, Any]:
    schema = tool.arguments.model_json_schema()
    return {
        "type": "function",
        "function": {"name": tool.name, "description": tool.description, "parameters": schema},
    }


def _result(toolbox: Toolbox, call: Mapping[str, Any]) -> dict[str, Any]:
    made = toolbox.call(call["function"]["name"], call["function"]["arguments"])
    told = made.result if made.refused is None else {"refused": made.refused}
    return {"role": "tool", "tool_call_id": call["id"], "content": json.dumps(told, ensure_ascii=False)}


def _checked(agent: Agent, content: str) -> dict[str, Any] | None:
    try:
        return agent.answer.model_validate_json(content).model_dump()
    except ValidationError:
        return None
