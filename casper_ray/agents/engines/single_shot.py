"""Evidence first, then one structured answer."""

from __future__ import annotations

from typing import Any

from casper_ray.agents.agent import Answer
from casper_ray.agents.engines.budget import CaseFailedError
from casper_ray.agents.engines.replies import read_answer, what_is_wrong
from casper_ray.agents.engines.requests import answer_format, case_text, system_text
from casper_ray.agents.engines.sitting import Sitting


async def single_shot(sitting: Sitting) -> Answer:
    """The answer to the case and what its gathered tools tell; asked for a second time where the first is no use."""
    calls = [sitting.toolbox.call(name) for name in sitting.agent.gathers]
    messages: list[Any] = [
        {"role": "system", "content": system_text(sitting.agent)},
        {"role": "user", "content": case_text(sitting.toolbox.case, calls)},
    ]
    text = await _asked(sitting, messages)
    try:
        return read_answer(sitting.agent.answer, text)
    except CaseFailedError as failed:
        messages += [
            {"role": "assistant", "content": text},
            {"role": "user", "content": what_is_wrong(failed)},
        ]
    return read_answer(sitting.agent.answer, await _asked(sitting, messages))


async def _asked(sitting: Sitting, messages: list[Any]) -> str:
    response_format: Any = answer_format(sitting.agent)
    reply = await sitting.client.chat.completions.create(
        model=sitting.model,
        messages=messages,
        response_format=response_format,
        **sitting.settings.sampling(),
    )
    return reply.choices[0].message.content or ""
