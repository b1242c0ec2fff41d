"""An OpenAI-compatible endpoint on this machine whose model is a function."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """What the model does.

    calls:  tools it calls: name, and arguments as a mapping or as the text that it writes for them.
    status: of HTTP, with `headers`; other than 200, nothing is said. wait_s: before anything is sent.
    cut:    the connection ends in the middle of the reply. usage: whether tokens are told.
    body:   is sent as it is, instead of a chat completion.
    """

    text: str | None = None
    calls: Sequence[tuple[str, Mapping[str, Any] | str]] = ()
    finish_reason: str | None = None
    refusal: str | None = None
    prompt_tokens: int = 100
    completion_tokens: int = 20
    usage: bool = True
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    wait_s: float = 0.0
    cut: bool = False
    body: bytes | None = None


Messages = list[dict[str, Any]]
Script = Callable[[Messages, list[dict[str, Any]], dict[str, Any] | None], Reply]
"""(messages, tools, response_format) -> reply. Called from several threads."""


@dataclass(slots=True, kw_only=True)
class ScriptedEndpoint:
    """A running one. requests: what it was asked so far. most_at_once: how many requests were open together."""

    base_url: str
    requests: list[dict[str, Any]] = field(default_factory=list)
    authorizations: list[str] = field(default_factory=list)
    most_at_once: int = 0


@contextmanager
def scripted_endpoint(script: Script) -> Iterator[ScriptedEndpoint]:
    """An endpoint whose model is `script`, until the block ends."""
    lock = threading.Lock()
    open_now = 0

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            nonlocal open_now
            asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            with lock:
                open_now += 1
                endpoint.requests.append(asked)
                endpoint.authorizations.append(self.headers.get("Authorization", ""))
                endpoint.most_at_once = max(endpoint.most_at_once, open_now)
            try:
                reply = script(asked["messages"], asked.get("tools") or [], asked.get("response_format"))
                time.sleep(reply.wait_s)
            finally:
                with lock:
                    open_now -= 1
            self._send(reply, _body(reply, asked))

        def _send(self, reply: Reply, body: bytes) -> None:
            try:
                self.send_response(reply.status)
                for name, value in {"Content-Type": "application/json", **reply.headers}.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body[: len(body) // 2] if reply.cut else body)
            except (BrokenPipeError, ConnectionResetError):
                self.close_connection = True  # whoever asked has given up
            if reply.cut:
                self.close_connection = True

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 (the base class's name)
            """Nothing: tests read their own output."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    endpoint = ScriptedEndpoint(base_url=f"http://127.0.0.1:{server.server_port}/v1")
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield endpoint
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _body(reply: Reply, asked: Mapping[str, Any]) -> bytes:
    if reply.body is not None:
        return reply.body
    if reply.status != 200:
        return json.dumps({"error": {"message": "scripted", "type": "scripted"}}).encode()
    said: dict[str, Any] = {"role": "assistant", "content": reply.text, "refusal": reply.refusal}
    if reply.calls:
        turn = len(asked["messages"])
        said["tool_calls"] = [
            {
                "id": f"call_{turn}_{number}",
                "type": "function",
                "function": {
                    "name": name,
                    "arguments": given if isinstance(given, str) else json.dumps(given),
                },
            }
            for number, (name, given) in enumerate(reply.calls)
        ]
    reason = reply.finish_reason or ("tool_calls" if reply.calls else "stop")
    completion: dict[str, Any] = {
        "id": "scripted",
        "object": "chat.completion",
        "created": 0,
        "model": asked["model"],
        "choices": [{"index": 0, "message": said, "finish_reason": reason}],
    }
    if reply.usage:
        completion["usage"] = {
            "prompt_tokens": reply.prompt_tokens,
            "completion_tokens": reply.completion_tokens,
            "total_tokens": reply.prompt_tokens + reply.completion_tokens,
        }
    return json.dumps(completion).encode()
