"""What workers import ahead: Ray Serve whole, without what its applications never use, and no more is changed."""

from __future__ import annotations

import json
import subprocess
import sys

LOOK = """
import casper_ray.serve.preloaded
import gc, json, sys

names = ("ray.serve._private.controller", "ray.serve._private.proxy", "ray.serve._private.replica", "pandas")
told = {"loaded": [name for name in names if name in sys.modules]}
told |= {"collects": gc.isenabled(), "frozen": gc.get_freeze_count()}
import pandas
told["frame"] = pandas.DataFrame({"a": [1]}).shape
print(json.dumps(told))
"""
REPLICAS = "import sys, casper_ray.serve.preloaded, {}; sys.exit('pandas' in sys.modules)"
HAS_PANDAS = "import sys, pandas, casper_ray.serve.preloaded; assert sys.modules['pandas'] is pandas"


def python(code: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=120, check=False
    )


def test_ray_serve_is_loaded_without_pandas_which_can_be_had_afterwards() -> None:
    said = python(LOOK)
    assert said.returncode == 0, said.stderr
    told = json.loads(said.stdout)
    assert told["loaded"] == [
        "ray.serve._private.controller",
        "ray.serve._private.proxy",
        "ray.serve._private.replica",
    ]
    assert told["collects"]
    assert told["frozen"] > 10_000
    assert told["frame"] == [1, 1]


def test_what_a_process_has_already_it_keeps() -> None:
    said = python(HAS_PANDAS)
    assert said.returncode == 0, said.stderr


def test_replicas_load_no_pandas_either() -> None:
    for module in ("casper_ray.serve.door.replica", "casper_ray.serve.deciding.replicas"):
        said = python(REPLICAS.format(module))
        assert said.returncode == 0, f"{module}: {said.stderr}"
