"""Key files, and an environment that names no keys."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from known_keys import key_json

KeyFile = Callable[..., Path]


@pytest.fixture
def key_file(tmp_path: Path) -> KeyFile:
    """Writes a key file; what is no object is written as it is."""

    def write(value: Any = None, mode: int = 0o600) -> Path:
        path = tmp_path / "given.json"
        value = key_json(1) if value is None else value
        path.write_bytes(value if isinstance(value, bytes) else json.dumps(value).encode())
        path.chmod(mode)
        return path

    return write


@pytest.fixture(autouse=True)
def _no_keys_in_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("CASPER_TOKEN_KEYS", "CASPER_TOKEN_KEYS_FILE"):
        monkeypatch.delenv(name, raising=False)
