"""Tool calling: the model asks what it wants of its own case, then answers. The loop itself is pydantic-ai's."""

from __future__ import annotations

import json
from typing import Any

from pydantic_ai import Agent as ModelAgent
from pydantic_ai import ModelRetry, StructuredDict, Tool, ToolOutput
from pydantic_ai.exceptions import UnexpectedModelBehavior
from pydantic_ai.models.openai import OpenAIChatModel
from pydantic_ai.providers.openai import OpenAIProvider
from pydantic_ai.settings import ModelSettings
from pydantic_core import SchemaValidator, core_schema

from casper_ray.agents import tools
from casper_ray.agents.agent import Answer
from casper_ray.agents.engines.budget import CaseFailedError
from casper_ray.agents.engines.replies import answer_schema, read_answer, what_is_wrong
from casper_ray.agents.engines.requests import call_text, case_text, system_text
from casper_ray.agents.engines.sitting import Sitting

ANSWER_TOOL = "final_answer"
_OBJECT = SchemaValidator(core_schema.dict_schema())
"""Arguments as far as the loop checks them; what they may be is the toolbox's business."""


async def tool_loop(sitting: Sitting) -> Answer:
    """The answer that the model comes to. Calls that are refused are told to it in a word, and kept."""
    agent = _model_agent(sitting)
    try:
        run = await agent.run(case_text(sitting.toolbox.case))
    except UnexpectedModelBehavior as error:
        if isinstance(error.__cause__, CaseFailedError) or not sitting.replies:
            raise
        # Its patience is over: the last reply says why, or is an answer that did not come by the answer's tool.
        return read_answer(sitting.agent.answer, last_answer(sitting.replies[-1]))
    return read_answer(sitting.agent.answer, json.dumps(run.output))


def _model_agent(sitting: Sitting) -> ModelAgent[None, dict[str, Any]]:
    form = StructuredDict(answer_schema(sitting.agent.answer), name=sitting.agent.answer.__name__)
    agent: ModelAgent[None, dict[str, Any]] = ModelAgent(
        OpenAIChatModel(sitting.model, provider=OpenAIProvider(openai_client=sitting.client)),
        output_type=ToolOutput(
            form, name=ANSWER_TOOL, description="Your answer, which ends the case", strict=False
        ),
        instructions=system_text(sitting.agent),
        deps_type=type(None),
        name=sitting.agent.name,
        model_settings=_model_settings(sitting),
        # Of tools there is no limit but the budget's; of answers, one repair.
        retries={"tools": sitting.settings.budget.steps, "output": 1},
        tools=[_told_by(sitting, tool) for tool in sitting.agent.tools],
        end_strategy="early",
    )

    @agent.output_validator
    def usable(output: dict[str, Any]) -> dict[str, Any]:
        try:
            read_answer(sitting.agent.answer, json.dumps(output))
        except CaseFailedError as failed:
            raise ModelRetry(what_is_wrong(failed)) from failed
        return output

    return agent


def _model_settings(sitting: Sitting) -> ModelSettings:
    settings = ModelSettings(max_tokens=sitting.settings.answer_tokens)
    if sitting.settings.temperature is not None:
        settings["temperature"] = sitting.settings.temperature
    if sitting.settings.seed is not None:
        settings["seed"] = sitting.settings.seed
    return settings


def _told_by(sitting: Sitting, tool: tools.Tool) -> Tool[None]:
    # A coroutine, so that it runs where the case does: a toolbox is for one thread.
    async def asked(**arguments: Any) -> str:
        return call_text(sitting.toolbox.call(tool.name, arguments))

    # Nothing is required: called without arguments a tool tells of the case itself.
    schema = answer_schema(tool.arguments) | {"required": []}
    told = Tool.from_schema(asked, tool.name, tool.description, schema)
    told.function_schema.validator = _OBJECT
    return told


def keep_unanswerable(sitting: Sitting, message: dict[str, Any]) -> None:
    """Puts calls among the refused ones that the loop turns away by itself: of no granted tool, or of no JSON."""
    names = {tool.name for tool in sitting.toolbox.tools}
    for call in message.get("tool_calls") or []:
        name, arguments = called(call)
        if name != ANSWER_TOOL and (name not in names or not _is_object(arguments)):
            sitting.toolbox.call(name, arguments if name in names else "{}")


def called(call: Any) -> tuple[str, str]:
    """The name and the arguments, as text, of a tool call in a message."""
    function = call.get("function") if isinstance(call, dict) else None
    function = function if isinstance(function, dict) else {}
    return str(function.get("name")), str(function.get("arguments") or "{}")


def last_answer(message: dict[str, Any]) -> str:
    """What a message has for an answer: what it called the answer's tool with, or what it said."""
    for call in message.get("tool_calls") or []:
        name, arguments = called(call)
        if name == ANSWER_TOOL:
            return arguments
    return str(message.get("content") or "")


def _is_object(text: str) -> bool:
    try:
        return isinstance(json.loads(text), dict)
    except (ValueError, RecursionError):
        return False
