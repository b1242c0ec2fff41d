"""A generator of load: so many connections, each sending its next request as soon as its last was answered.

    python load.py PORT KIND CONNECTIONS SECONDS [--key KEY] [--subjects FILE] [--agent NAME] [--rate R]

One JSON object on the last line: requests/s, latencies in milliseconds, answers by status. It speaks just as much
HTTP/1.1 as it needs, on bare sockets of uvloop, so that it costs little beside what it measures.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import repeat
from pathlib import Path
from typing import Any

import uvloop

WARM_SHARE = 0.2
"""Of the time, before what counts begins."""


@dataclass
class Seen:
    """What came of the requests. answered: (wall time, seconds it took, status); 0: the connection broke."""

    answered: list[tuple[float, float, int]] = field(default_factory=list)
    bodies: list[bytes] = field(default_factory=list)


class Connection(asyncio.Protocol):
    """Sends a request, takes its answer, and so on. over: whether there is nothing more to send; False: it broke."""

    def __init__(self, requests: Iterator[bytes], seen: Seen, until: float, *, keep: bool) -> None:
        self._requests, self._seen, self._until, self._keep = requests, seen, until, keep
        self._buffer = b""
        self._sent = 0.0
        self.over: asyncio.Future[bool] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: Any) -> None:
        self._transport = transport
        self._next()

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        head = self._buffer.find(b"\r\n\r\n")
        if head < 0:
            return
        size = content_length(self._buffer[:head])
        if len(self._buffer) < head + 4 + size:
            return
        status = int(self._buffer[9:12])
        now = time.perf_counter()
        self._seen.answered.append((now, now - self._sent, status))
        if self._keep:
            self._seen.bodies.append(self._buffer[head + 4 : head + 4 + size])
        self._buffer = b""
        self._next()

    def connection_lost(self, error: Exception | None) -> None:
        if not self.over.done():
            now = time.perf_counter()
            self._seen.answered.append((now, now - self._sent, 0))
            self.over.set_result(False)

    def _next(self) -> None:
        request = next(self._requests, None) if time.perf_counter() < self._until else None
        if request is None:
            self.over.set_result(True)
            self._transport.close()
            return
        self._sent = time.perf_counter()
        self._transport.write(request)


def content_length(head: bytes) -> int:
    place = head.lower().find(b"content-length:")
    return int(head[place + 15 :].split(b"\r\n", 1)[0])


def request_bytes(method: str, path: str, body: bytes, headers: dict[str, str]) -> bytes:
    told = {
        "Host": "127.0.0.1",
        "Content-Type": "application/json",
        "Content-Length": str(len(body)),
        **headers,
    }
    lines = "".join(f"{name}: {value}\r\n" for name, value in told.items())
    return f"{method} {path} HTTP/1.1\r\n{lines}\r\n".encode() + body


async def closed_loop(
    port: int, requests: Iterator[bytes], connections: int, seconds: float, *, keep: bool = False
) -> Seen:
    """Connections that never wait but for their answer. One that breaks is opened again."""
    loop, seen, until = asyncio.get_running_loop(), Seen(), time.perf_counter() + seconds

    async def one() -> None:
        while time.perf_counter() < until:
            try:
                _, connection = await loop.create_connection(
                    lambda: Connection(requests, seen, until, keep=keep), "127.0.0.1", port
                )
            except OSError:
                await asyncio.sleep(0.05)
                continue
            if await connection.over:
                return

    await asyncio.gather(*(one() for _ in range(connections)))
    return seen


def figures(seen: Seen, seconds: float) -> dict[str, Any]:
    """Of what was answered after the warm-up."""
    if not seen.answered:
        return {"requests": 0}
    begun = min(at - took for at, took, _ in seen.answered)
    counted = [each for each in seen.answered if each[0] >= begun + WARM_SHARE * seconds]
    took_ms = sorted(took * 1000 for _, took, status in counted if status == 200)
    lasted = max(at for at, _, _ in counted) - (begun + WARM_SHARE * seconds)
    place = lambda share: round(took_ms[min(len(took_ms) - 1, int(share * len(took_ms)))], 2)  # noqa: E731
    return {
        "requests": len(counted),
        "per_s": round(len(took_ms) / lasted, 1),
        "p50_ms": place(0.5),
        "p99_ms": place(0.99),
        "statuses": dict(Counter(str(status) for _, _, status in counted)),
        "processor_s": round(time.process_time(), 2),
    }


def requests_of(kind: str, key: str, agent: str, subjects: list[str]) -> Iterator[bytes]:
    headers = {"Authorization": f"Bearer {key}"} if key else {}
    if kind == "echo":
        return repeat(request_bytes("POST", "/v1/echo", b'{"subject": "XP0YMM"}', headers))
    path = f"/v1/agents/{agent}/decisions"
    return iter(
        [request_bytes("POST", path, json.dumps({"subject": each}).encode(), headers) for each in subjects]
    )


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("port", type=int)
    parser.add_argument("kind", choices=("echo", "decide"))
    parser.add_argument("connections", type=int)
    parser.add_argument("seconds", type=float)
    parser.add_argument("--key", default="")
    parser.add_argument("--agent", default="refund")
    parser.add_argument("--subjects", type=Path)
    asked = parser.parse_args()
    subjects = asked.subjects.read_text().split() if asked.subjects else []
    requests = requests_of(asked.kind, asked.key, asked.agent, subjects)
    seen = uvloop.run(closed_loop(asked.port, requests, asked.connections, asked.seconds))
    print(json.dumps(figures(seen, asked.seconds)))


if __name__ == "__main__":
    main()
