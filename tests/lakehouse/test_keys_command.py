"""`casper keys`, as a person meets it at the command line."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from casper_ray.cli import app
from casper_ray.lakehouse import keys_command
from casper_ray.lakehouse.names import Catalog, open_catalog
from casper_ray.security.keys import Purpose


@pytest.fixture
def bank(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Catalog:
    for name in ("CASPER_TOKEN_KEYS", "CASPER_TOKEN_KEYS_FILE"):
        monkeypatch.delenv(name, raising=False)
    return open_catalog(str(tmp_path / "lake"), "bank_dev")


def keys(bank: Catalog, *more: str) -> Result:
    return CliRunner().invoke(app, ["keys", *more, "--lake", str(bank.lake)])


def test_a_catalog_without_keys_says_so_and_gets_none(bank: Catalog) -> None:
    told = keys(bank, "status")
    assert (told.exit_code, told.stdout.startswith("no keys yet")) == (0, True)
    assert list(bank.state.iterdir()) == []


def test_rotation_shows_the_new_version(bank: Catalog) -> None:
    told = keys(bank, "rotate", "token")
    assert told.exit_code == 0
    first, token, vault, warning = told.stdout.splitlines()
    assert first == f"keys in {bank.state / 'keys.json'}"
    assert (token.split(), vault.split()) == (["token", "v1", "v2"], ["vault", "v1"])
    assert "development keys" in warning


def test_status_says_versions_in_json_and_no_key(bank: Catalog) -> None:
    keys(bank, "rotate", "vault")
    told = keys(bank, "status", "--json")
    assert json.loads(told.stdout)["versions"] == {"token": [1], "vault": [1, 2]}
    for versions in json.loads((bank.state / "keys.json").read_text()).values():
        for secret in versions.values() if isinstance(versions, dict) else ():
            assert secret[:16] not in told.stdout


def test_a_key_file_that_others_can_read_is_refused_in_one_line(bank: Catalog) -> None:
    keys(bank, "rotate", "vault")
    (bank.state / "keys.json").chmod(0o644)
    told = keys(bank, "status")
    assert (told.exit_code, told.stdout) == (2, "")
    (line,) = told.stderr.splitlines()
    assert line.startswith("error: key file ")
    assert line.endswith(f"Hint: `chmod 600 {bank.state / 'keys.json'}`")


def test_keys_of_the_environment_are_not_rotated(bank: Catalog, monkeypatch: pytest.MonkeyPatch) -> None:
    keys(bank, "rotate", "vault")
    monkeypatch.setenv("CASPER_TOKEN_KEYS", (bank.state / "keys.json").read_text())
    told = keys(bank, "rotate", "token")
    assert told.exit_code == 2
    assert "CASPER_TOKEN_KEYS: cannot be rotated from here" in told.stderr


def test_every_purpose_can_be_rotated() -> None:
    assert [str(p) for p in keys_command._Purpose] == [str(p) for p in Purpose]


def test_help_imports_no_cipher() -> None:
    code = (
        "import sys, casper_ray.lakehouse.keys_command; "
        "sys.exit(bool({'cryptography', 'polars'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
