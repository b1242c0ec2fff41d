"""`casper serve` with a real vLLM behind it, in a process of its own, and what it takes to ask it and to kill it."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import httpx2
import psutil
import yaml

from casper_ray.serve.access.key_store import KeyStore
from casper_ray.serve.access.principal import Role
from casper_ray.serve.llm.tiny_llama import CONTEXT

ENGINE: dict[str, Any] = {
    "max_model_len": CONTEXT,
    "enforce_eager": True,
    "dtype": "float32",
    "enable_prefix_caching": True,
    "enable_auto_tool_choice": True,
    "tool_call_parser": "hermes",
    "tool_strict_level": "parameter",
    "structured_outputs_config": {"backend": "xgrammar", "disable_any_whitespace": True},
}
START_S = 900.0
"""An engine is up within one minute on a quiet machine."""
_CASPER = "from casper_ray.cli import main; main()"
_MARK = "CASPER_TEST_DOOR"


class Door(NamedTuple):
    """A door that listens. key: of an operator. mark: in the environment of every process that belongs to it."""

    url: str
    key: str
    mark: str

    def client(self, **options: Any) -> httpx2.Client:
        return httpx2.Client(
            base_url=self.url,
            headers={"Authorization": f"Bearer {self.key}"},
            timeout=300.0,
            trust_env=False,
            **options,
        )

    def engines(self) -> list[psutil.Process]:
        """Processes of vLLM's engine that run for this door."""
        return [process for process in psutil.process_iter(["name"]) if self._is_engine(process)]

    def kill_engine(self) -> None:
        """SIGKILL, as the kernel does it where memory is short."""
        for process in self.engines():
            process.send_signal(signal.SIGKILL)

    def _is_engine(self, process: psutil.Process) -> bool:
        try:
            if "EngineCore" not in " ".join([process.info["name"] or "", *process.cmdline()]):
                return False
            return process.environ().get(_MARK) == self.mark
        except psutil.Error:
            return False


@contextmanager
def serving(folder: Path, args: dict[str, Any], *, model: str) -> Iterator[Door]:
    """The door of a target with `args`, whose agents ask the model behind it. folder: for its files."""
    port, keys = free_port(), folder / "keys.json"
    key = KeyStore(keys).add("tests", Role.OPERATOR).text
    args = {**args, "access": {"keys_file": str(keys)}}
    target = folder / "target.yml"
    target.write_text(yaml.safe_dump(_target(port, args)))
    door = Door(f"http://127.0.0.1:{port}", key, f"door-{port}")
    environment = {
        **os.environ,
        _MARK: door.mark,
        "CASPER_CPUS": "6",
        "CASPER_LLM_BASE_URL": f"{door.url}/v1",
        "CASPER_LLM_MODEL": model,
        "CASPER_LLM_API_KEY": key,
    }
    command = [sys.executable, "-c", _CASPER, "serve", "-t", str(target), "--quiet"]
    log = folder / "serve.log"
    with log.open("wb") as out:
        process = subprocess.Popen(command, stdout=out, stderr=out, env=environment)
        try:
            _wait_until_ready(door, process, log)
            yield door
        finally:
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(60)
            except subprocess.TimeoutExpired:
                process.kill()


def free_port() -> int:
    with socket.socket() as trial:
        trial.bind(("127.0.0.1", 0))
        return int(trial.getsockname()[1])


def _target(port: int, args: dict[str, Any]) -> dict[str, Any]:
    application = {
        "name": "casper",
        "route_prefix": "/",
        "import_path": "casper_ray.serve.application:build",
        "args": args,
    }
    return {"http_options": {"host": "127.0.0.1", "port": port}, "applications": [application]}


def _wait_until_ready(door: Door, process: subprocess.Popen[bytes], log: Path) -> None:
    until_s = time.monotonic() + START_S
    with door.client() as client:
        while time.monotonic() < until_s:
            assert process.poll() is None, f"casper serve ended:\n{log.read_text()[-3000:]}"
            try:
                if client.get("/readyz").status_code == 200 and _answers(client):
                    return
            except httpx2.HTTPError:
                pass
            time.sleep(0.5)
    raise AssertionError(f"casper serve is not ready:\n{log.read_text()[-3000:]}")


def _answers(client: httpx2.Client) -> bool:
    model = client.get("/v1/models").json()["data"][-1]["id"]
    asked = {"model": model, "messages": [{"role": "user", "content": "Hello"}], "max_tokens": 1}
    return client.post("/v1/chat/completions", json=asked).status_code == 200
