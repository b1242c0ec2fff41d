"""Whatever a model or its endpoint does, its case has a row, and the row names the outcome."""

from __future__ import annotations

import json
import socket
from typing import Any

import pytest
from refund_models import NO_REFUND, always, answers, by_rule

from casper_ray.agents.testing.scripted_endpoint import Reply

MODES = ("single_shot", "loop")
BAD_ANSWERS = {
    "half": ('{"refund_usd": 1, "refund_cl', "half_json"),
    "enum": ({**NO_REFUND, "refund_class": "generous"}, "wrong_enum"),
    "negative": ({**NO_REFUND, "refund_usd": -5, "refund_class": "full"}, "invalid_output"),
    "infinite": ('{"refund_usd": Infinity, "refund_class": "full", "reason": "r"}', "invalid_output"),
    "beyond": ('{"refund_usd": 1e999, "refund_class": "full", "reason": "r"}', "invalid_output"),
    "no_number": ('{"refund_usd": NaN, "refund_class": "full", "reason": "r"}', "invalid_output"),
    "endless": ({**NO_REFUND, "reason": "late " * 10_000}, "invalid_output"),
    "extra": ({**NO_REFUND, "approved": True}, "invalid_output"),
}


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("name", BAD_ANSWERS)
def test_an_answer_that_stays_unusable_is_for_a_person(
    mode: str, name: str, kitchen: Any, model: Any
) -> None:
    answer, failure = BAD_ANSWERS[name]
    endpoint = model(always(answer))
    (row,) = kitchen.decide(mode, "LATE1")
    assert (row["gate_action"], row["gate_reasons"], row["outcome"]) == ("queued", [failure], failure)
    assert row["proposal"] is row["final"] is None
    assert row["amount"] == 0
    assert len(endpoint.requests) == 2, "one repair, no more"


@pytest.mark.parametrize("mode", MODES)
def test_prose_is_for_a_person(mode: str, kitchen: Any, model: Any) -> None:
    endpoint = model(lambda *_: Reply(text="I would gladly refund this customer in full."))
    (row,) = kitchen.decide(mode, "LATE1")
    assert (row["gate_action"], row["outcome"]) == ("queued", "prose")
    assert len(endpoint.requests) == 2


@pytest.mark.parametrize("mode", MODES)
def test_a_repaired_answer_counts(mode: str, kitchen: Any, model: Any) -> None:
    def script(messages: Any, tools: Any, response_format: Any) -> Reply:
        first = len(messages) < 4
        return answers({**NO_REFUND, "refund_class": "generous"} if first else NO_REFUND, tools)

    model(script)
    (row,) = kitchen.decide(mode, "USUAL1")
    assert (row["gate_action"], row["outcome"]) == ("approved", "none")
    assert json.loads(row["usage"])["steps"] == 2


ENDPOINT = {
    "429": (Reply(status=429, headers={"Retry-After": "0"}), "rate_limited", 3),
    "429 with more patience than there is": (
        Reply(status=429, headers={"Retry-After": "900"}),
        "rate_limited",
        1,
    ),
    "503": (Reply(status=503), "busy", 3),
    "500": (Reply(status=500), "endpoint_error", 1),
    "401": (Reply(status=401), "rejected", 1),
    "slow": (Reply(text="{}", wait_s=0.6), "timeout", 1),
    "connection cut": (Reply(text=json.dumps(NO_REFUND), cut=True), "cut", 1),
    "reply cut": (Reply(text='{"refund_usd": 0, "re', finish_reason="length"), "cut", 1),
    "refusal": (Reply(refusal="I cannot help with that."), "refused", 1),
    "filtered": (Reply(text="", finish_reason="content_filter"), "refused", 1),
    "a page": (Reply(body=b"<html>Welcome</html>"), "endpoint_error", 1),
    "no choices": (Reply(body=b'{"choices": []}'), "endpoint_error", 1),
}


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("name", ENDPOINT)
def test_an_endpoint_that_fails_is_named_and_asked_again_only_where_that_is_safe(
    mode: str, name: str, kitchen: Any, model: Any
) -> None:
    reply, failure, requests = ENDPOINT[name]
    endpoint = model(lambda *_: reply)
    (row,) = kitchen.with_settings(request_s=0.3).decide(mode, "LATE1")
    assert (row["gate_action"], row["outcome"]) == ("queued", failure)
    assert row["amount"] == 0
    assert len(endpoint.requests) == requests


@pytest.mark.parametrize("mode", MODES)
def test_an_endpoint_that_is_down_is_unreachable(
    mode: str, kitchen: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.socket() as taken:  # bound and not listening: whoever connects is refused
        taken.bind(("127.0.0.1", 0))
        monkeypatch.setenv("CASPER_LLM_BASE_URL", f"http://127.0.0.1:{taken.getsockname()[1]}/v1")
        monkeypatch.setenv("CASPER_LLM_MODEL", "m")
        (row,) = kitchen.decide(mode, "LATE1")
    assert (row["gate_action"], row["outcome"]) == ("queued", "unreachable")


@pytest.mark.parametrize("mode", MODES)
def test_a_busy_endpoint_is_asked_again(mode: str, kitchen: Any, model: Any) -> None:
    turns = iter([Reply(status=503), Reply(status=429, headers={"Retry-After": "0"})])
    model(lambda messages, tools, form: next(turns, None) or by_rule(messages, tools, form))
    (row,) = kitchen.decide(mode, "USUAL1")
    assert (row["gate_action"], row["outcome"]) == ("approved", "none")


def test_arguments_that_name_another_case_are_refused_and_kept(kitchen: Any, model: Any) -> None:
    def script(messages: Any, tools: Any, response_format: Any) -> Reply:
        if len(messages) == 2:
            return Reply(
                calls=[
                    ("get_order_timing", {"order_id": "USUAL1"}),
                    ("get_order_timing", {"order_id": "LATE1", "at": "2030-01-01"}),
                    ("get_order_timing", '{"order_id": '),
                    ("get_order_timing", "[]"),
                    ("pay_now", {"usd": 500}),
                ]
            )
        return answers({"refund_usd": 40, "refund_class": "full", "reason": "r"}, tools)

    endpoint = model(script)
    (row,) = kitchen.decide("loop", "LATE1")
    refused = json.loads(row["usage"])["refused_calls"]
    assert sorted(refused) == [
        *["get_order_timing:bad_arguments"] * 3,
        "get_order_timing:other_case",
        "pay_now:not_granted",
    ]
    assert row["gate_action"] == "queued"
    assert "evidence_missing:get_order_timing" in row["gate_reasons"]
    said = json.dumps(endpoint.requests[1]["messages"])
    assert "USUAL1" in said
    assert "minutes" not in said.split("USUAL1", 1)[1], "nothing was told of the other order"
