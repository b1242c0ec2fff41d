"""Requests at a fixed rate, whatever becomes of them: what waits does not slow down what comes."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import NamedTuple

import httpx2

_PATIENCE_S = 60.0


class Asked(NamedTuple):
    """One request. sent, ended: seconds since the load began. status: 0: the connection broke."""

    sent: float
    ended: float
    status: int
    decision_id: str


async def steadily(url: str, key: str, subjects: Sequence[str], rate: float, seconds: float) -> list[Asked]:
    """A decision on the next subject every 1/rate s, for so long. Nothing is tried again."""
    loop, began = asyncio.get_running_loop(), asyncio.get_running_loop().time()
    limits = httpx2.Limits(max_connections=None, max_keepalive_connections=200)
    async with httpx2.AsyncClient(
        base_url=url,
        headers={"Authorization": f"Bearer {key}"},
        limits=limits,
        timeout=_PATIENCE_S,
        trust_env=False,
    ) as client:

        async def one(subject: str) -> Asked:
            sent = loop.time() - began
            try:
                answer = await client.post("/v1/agents/refund/decisions", json={"subject": subject})
            except httpx2.HTTPError:
                return Asked(sent, loop.time() - began, 0, "")
            made = answer.json()["decision_id"] if answer.status_code == 200 else ""
            return Asked(sent, loop.time() - began, answer.status_code, made)

        tasks = []
        for number in range(int(rate * seconds)):
            await asyncio.sleep(max(0.0, began + number / rate - loop.time()))
            tasks.append(asyncio.create_task(one(subjects[number])))
        return list(await asyncio.gather(*tasks))
