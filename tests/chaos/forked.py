"""Commands that are to die, started without the second that a cold start takes: forked off a process that has
everything imported. They are processes of their own all the same, with arguments and an environment of their own.
"""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from multiprocessing import get_context
from pathlib import Path

from children import Ended

_LONGEST_S = 90.0
_SERVER = get_context("forkserver")
_SERVER.set_forkserver_preload(
    ["casper_ray.medallion.command", "casper_ray.medallion.standalone", "casper_ray.sim.lander"]
)


def medallion(*arguments: str) -> None:
    """`python -m casper_ray.medallion …`."""
    from casper_ray.medallion.command import app

    sys.argv = ["python -m casper_ray.medallion", *arguments]
    app()


def run_forked(command: Callable[..., None], arguments: Sequence[str], env: Mapping[str, str]) -> Ended:
    """The command, run to its end in a process of its own. Raises: AssertionError if it does not end in time."""
    with tempfile.TemporaryDirectory(prefix="casper-forked-") as folder:
        out, err = Path(folder, "out"), Path(folder, "err")
        process = _SERVER.Process(target=_run, args=(command, arguments, env, out, err))
        process.start()
        process.join(_LONGEST_S)
        if process.exitcode is None:
            process.kill()
            process.join()
            raise AssertionError(f"did not end in {_LONGEST_S:g} s; stderr: {err.read_text()[-4000:]}")
        return Ended(process.exitcode, out.read_text(), err.read_text())


def _run(
    command: Callable[..., None], arguments: Sequence[str], env: Mapping[str, str], out: Path, err: Path
) -> None:
    for path, number in ((out, 1), (err, 2)):
        file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        os.dup2(file, number)
        os.close(file)
    os.environ.update(env)
    command(*arguments)
