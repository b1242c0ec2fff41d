"""Scripted models for the refund agent."""

from __future__ import annotations

import json
import re
from typing import Any

from casper_ray.agents.testing.scripted_endpoint import Messages, Reply, Script

NO_REFUND = {"refund_usd": 0, "refund_class": "none", "reason": "On time."}


def answers(answer: dict[str, Any] | str, tools: list[Any]) -> Reply:
    """An answer as it is asked for: by the answer's tool where there are tools."""
    if tools:
        return Reply(calls=[("final_answer", answer)])
    return Reply(text=answer if isinstance(answer, str) else json.dumps(answer))


def always(answer: dict[str, Any] | str) -> Script:
    return lambda messages, tools, response_format: answers(answer, tools)


def subject(messages: Messages) -> str:
    """The order that the case is about."""
    found = re.search(r"Case: (\{.*\})", str(messages[1]["content"]))
    assert found is not None
    return str(json.loads(found.group(1))["subject"])


def told(messages: Messages) -> dict[str, dict[str, Any]]:
    """What tools told so far, wherever it stands."""
    lines = "\n".join(str(message["content"]) for message in messages[1:]).splitlines()
    calls = [json.loads(line) for line in lines if line.startswith('{"tool"')]
    return {call["tool"]: call["result"] for call in calls if "result" in call}


def by_rule(messages: Messages, tools: list[Any], response_format: Any) -> Reply:
    """Follows the prompt: asks for what it needs where it can, then goes by the percentiles."""
    known = told(messages)
    if tools and "get_order_timing" not in known:
        return Reply(calls=[("get_order_timing", {"order_id": subject(messages)})])
    timing = known["get_order_timing"]
    if tools and "get_location_timings" not in known:
        return Reply(calls=[("get_location_timings", {"location_id": timing["location_id"]})])
    usual = known["get_location_timings"]
    if usual["deliveries"] < 20 or timing["minutes"] <= usual["p75"]:
        return answers(NO_REFUND, tools)
    kind = "full" if timing["minutes"] > usual["p99"] else "partial"
    worth = round(float(timing["total"]) * (1 if kind == "full" else 0.25), 2)
    return answers({"refund_usd": worth, "refund_class": kind, "reason": "Late."}, tools)
