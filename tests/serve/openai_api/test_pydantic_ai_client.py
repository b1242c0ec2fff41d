"""pydantic-ai with an agent of ours as its model."""

from __future__ import annotations

import asyncio
import json

import pytest
from openai import AsyncOpenAI
from pydantic_ai import Agent
from pydantic_ai.exceptions import ModelHTTPError
from pydantic_ai.models.openai import OpenAIChatModel, OpenAIResponsesModel
from pydantic_ai.providers.openai import OpenAIProvider

Kind = type[OpenAIChatModel] | type[OpenAIResponsesModel]


def asked(door: str, kind: Kind, text: str, *, stream: bool = False) -> str:
    async def ask() -> str:
        async with AsyncOpenAI(base_url=f"{door}/v1", api_key="key-of-operator", max_retries=0) as client:
            model = kind("refund", provider=OpenAIProvider(openai_client=client))
            agent = Agent(model, instructions="Decide on ZZZZZZ.")
            if not stream:
                return (await agent.run(text)).output
            async with agent.run_stream(text) as run:
                return await run.get_output()

    return asyncio.run(ask())


@pytest.mark.parametrize("kind", [OpenAIChatModel, OpenAIResponsesModel])
def test_an_agent_answers_with_a_decision(door: str, kind: Kind) -> None:
    whole = asked(door, kind, "Refund for order AAA010, please.")
    assert json.loads(whole)["case_id"] == "order:AAA010"
    assert asked(door, kind, "AAA010", stream=True) == whole


def test_a_refusal_is_an_error_of_http(door: str) -> None:
    with pytest.raises(ModelHTTPError) as refused:
        asked(door, OpenAIChatModel, "There is no order in this.")
    assert refused.value.status_code == 422
