"""schemathesis over /openapi.json of a door that listens: no 5xx, nothing that the document does not say."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
import ray
from served_kitchen import kitchen_of_orders, listening, services_over

from casper_ray.serve.openai_api.testing import ScriptedModel

CONFIG = Path(__file__).with_name("schemathesis.toml")


@pytest.fixture(scope="module")
def door(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ray, "is_initialized", lambda: False)  # the pipeline runs here, whoever started Ray
        catalog = kitchen_of_orders(tmp_path_factory.mktemp("orders"))
    llm = ScriptedModel(name="tiny", says=lambda body: {"content": "hello"})
    with closing(services_over(catalog, model=llm)) as services, listening(services) as address:
        yield address


def cases_of(door: str, folder: Path, *options: str) -> int:
    """How many requests were made and held; fails where one did not."""
    command = [sys.executable, "-m", "schemathesis.cli", "--no-color", "--config-file", str(CONFIG)]
    command += ["run", f"{door}/openapi.json", "-H", "Authorization: Bearer key-of-admin", "--seed", "1"]
    ran = subprocess.run([*command, *options], cwd=folder, capture_output=True, text=True, timeout=3_000)
    shown = "\n".join(line[:300] for line in ran.stdout.splitlines())
    print(shown[shown.rfind("= SUMMARY") :])
    assert ran.returncode == 0, shown[-20_000:] + ran.stderr[-2_000:]
    made = re.search(r"(\d+) generated", shown)
    assert made is not None
    return int(made[1])


def test_some_hundred_cases_hold(door: str, tmp_path: Path) -> None:
    assert cases_of(door, tmp_path, "--phases", "examples,coverage", "--max-examples", "5") >= 200


@pytest.mark.slow
def test_two_thousand_cases_hold(door: str, tmp_path: Path) -> None:
    assert cases_of(door, tmp_path, "--max-examples", "100") >= 2_000
