"""What never reaches a log line."""

from __future__ import annotations

import io
import json
import logging
from typing import Any

import jwt
import pytest
import structlog
from hypothesis import given
from hypothesis import strategies as st

from casper_ray.errors import LakeError
from casper_ray.serve.operations.logs import REQUEST_ID
from casper_ray.serve.operations.redaction import GONE, redacted

KEY = "crk_1a2b3c4d_c0ffee-S3CRET_x"
TOKEN = jwt.encode({"sub": "ana", "role": "admin"}, "a secret of at least thirty-two bytes", "HS256")


def said(lines: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in lines.getvalue().splitlines()]


@pytest.mark.parametrize(
    "text",
    [
        KEY,
        f"Authorization: Bearer {KEY}",
        f"bearer   {TOKEN}",
        f"key={KEY}&x=1",
        f"got {TOKEN} from somebody",
        "Basic dXNlcjpwYXNzd29yZA==",
        "sk-proj-abcdefgh12345678",
        "postgres://casper:hunter2@host/db",
    ],
)
def test_secrets_in_a_text_are_gone(text: str) -> None:
    left = redacted(text)
    assert GONE in left
    for secret in (KEY, TOKEN, "dXNlcjpwYXNzd29yZA", "proj-abcdefgh", "hunter2"):
        assert secret not in left


def test_what_is_no_secret_stays() -> None:
    text = "PUT /v1/agents/{agent}/switch 200, request 01J9-4f, key id k_7f3a, bearer"
    assert redacted(text) == text


@given(st.text(alphabet="abcXYZ019_-", min_size=1), st.text(), st.text())
def test_no_key_is_left_whatever_is_around_it(secret: str, before: str, after: str) -> None:
    assert f"crk_{secret}" not in redacted(f"{before} crk_{secret} {after}")


def test_fields_that_are_named_like_secrets_are_gone_at_any_depth(lines: io.StringIO) -> None:
    structlog.get_logger().info(
        "x", authorization="abc-1", deep={"list": [{"api_key": "abc-2", "size": 3}]}, body="abc-3"
    )
    assert "abc-" not in lines.getvalue()
    assert said(lines)[0]["deep"]["list"][0]["size"] == 3


def test_a_key_inside_any_field_is_gone(lines: io.StringIO) -> None:
    structlog.get_logger().info(f"saw {KEY}", where=[f"Bearer {TOKEN}"])
    assert KEY not in lines.getvalue()
    assert TOKEN not in lines.getvalue()


def test_an_exception_is_logged_by_where_it_happened_not_by_what_it_quotes(lines: io.StringIO) -> None:
    def fails() -> None:
        raise ValueError("Ana Example lives at 4 High Street")

    try:
        fails()
    except ValueError:
        structlog.get_logger().exception("unexpected")
    assert "Ana" not in lines.getvalue()
    line = said(lines)[0]
    assert line["error"] == "ValueError"
    assert line["trace"][0] == "ValueError"
    assert line["trace"][-1].endswith(" fails")


def test_our_own_errors_keep_their_words_and_their_cause(lines: io.StringIO) -> None:
    try:
        try:
            raise OSError("Ana's disk")
        except OSError as error:
            raise LakeError("lake: cannot be written", "free some space") from error
    except LakeError:
        structlog.get_logger().exception("unexpected")
    trace = said(lines)[0]["trace"]
    assert "LakeError: lake: cannot be written. Hint: free some space" in trace
    assert "OSError" in trace
    assert "Ana" not in lines.getvalue()


def test_what_libraries_log_has_the_same_form(lines: io.StringIO) -> None:
    try:
        raise RuntimeError("Ana Example")
    except RuntimeError:
        logging.getLogger("uvicorn.error").exception("Exception in ASGI application, %s", f"Bearer {TOKEN}")
    line = said(lines)[0]
    assert line["logger"] == "uvicorn.error"
    assert line["error"] == "RuntimeError"
    assert TOKEN not in lines.getvalue()
    assert "Ana" not in lines.getvalue()


def test_libraries_are_quiet_below_warnings(lines: io.StringIO) -> None:
    logging.getLogger("uvicorn.error").info("Started")
    logging.getLogger("uvicorn.access").warning("GET /v1/decisions/x")
    assert lines.getvalue() == ""


def test_lines_carry_the_request_and_the_part(lines: io.StringIO) -> None:
    bound = REQUEST_ID.set("r-1")
    structlog.get_logger().warning("slow", ms=3)
    REQUEST_ID.reset(bound)
    line = said(lines)[0]
    assert (line["request_id"], line["part"], line["event"], line["level"], line["ms"]) == (
        "r-1", "door", "slow", "warning", 3,
    )  # fmt: skip
    assert line["at"].endswith("Z")


def test_a_line_stays_a_line(lines: io.StringIO) -> None:
    structlog.get_logger().warning("first\nsecond\r\x1b[31m", odd=object())
    assert len(lines.getvalue().splitlines()) == 1
    assert said(lines)[0]["odd"] == "object"
