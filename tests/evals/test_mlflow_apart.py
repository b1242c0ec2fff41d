"""MLflow stays out of the way: not imported, not needed, and what goes wrong with it is one line."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from casper_ray.config import prepare_mlflow, tracking_uri
from casper_ray.evals.command import champion, compare, register
from casper_ray.lakehouse.names import Catalog

_APP = typer.Typer()
for _command in (register, champion, compare):
    _APP.command()(_command)


@pytest.mark.cli
def test_neither_agents_nor_commands_import_mlflow() -> None:
    rooms = "casper_ray.cli, casper_ray.agents.decision, casper_ray.agents.registry, casper_ray.evals.command"
    code = f"import sys, {rooms}; print([name for name in sys.modules if name.startswith('mlflow')])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_a_server_that_does_not_answer_is_one_line(decided: Catalog, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://me:secret@127.0.0.1:9")
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    done = CliRunner().invoke(_APP, ["register", "--agent", "refund", "--lake", str(decided.lake)])
    assert done.exit_code == 2
    assert done.stderr.startswith("error: MLflow: ")
    assert done.stderr.count("\n") == 1
    assert "secret" not in done.stderr


def test_a_version_goes_from_register_to_champion(
    decided: Catalog, lake: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{lake}/_mlflow/mlflow.db")
    monkeypatch.chdir(lake)
    of = ["--agent", "refund", "--lake", str(decided.lake)]
    done = CliRunner().invoke(_APP, ["register", *of, "--traces", "0"])
    assert done.exit_code == 0, done.stderr
    version = done.stdout.split()[1].rstrip(":")
    assert "40 decisions" in done.stdout
    done = CliRunner().invoke(_APP, ["champion", *of, "--version", version, "--challenger"])
    assert (done.exit_code, done.stdout) == (0, f"refund {version}: challenger\n")
    done = CliRunner().invoke(_APP, ["compare", *of, "--version", version, "--other", version])
    assert done.exit_code == 0
    assert "+0.00" in done.stdout
    done = CliRunner().invoke(_APP, ["compare", *of, "--version", version, "--other", "none"])
    assert done.exit_code == 2


def test_what_the_environment_says_of_mlflow_stays() -> None:
    env = {"MLFLOW_HTTP_REQUEST_TIMEOUT": "99"}
    prepare_mlflow(env)
    assert env["MLFLOW_HTTP_REQUEST_TIMEOUT"] == "99"
    assert env["MLFLOW_DISABLE_TELEMETRY"] == "true"
    assert tracking_uri({"MLFLOW_TRACKING_URI": ""}) is None
