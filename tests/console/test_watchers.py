from __future__ import annotations

import json
import subprocess
import sys

import pytest

from casper_ray.console.progress import Watcher
from casper_ray.console.testing import progress, summary
from casper_ray.console.watchers import build_watcher


def run(watcher: Watcher) -> None:
    with watcher:
        watcher.started("casper kitchen")
        watcher.progressed(progress())
        watcher.noted("resumed")
        print("a print from elsewhere")
        watcher.finished(summary())


def test_json_is_all_there_is_on_stdout(capsys: pytest.CaptureFixture[str]) -> None:
    run(build_watcher(quiet=False, as_json=True, stdout_is_terminal=True))
    out, err = capsys.readouterr()
    assert json.loads(out) == summary().as_json()
    assert out.count("\n") == 1
    assert "day 70" in err
    assert "a print from elsewhere" in err


def test_quiet_json_says_nothing_meanwhile(capsys: pytest.CaptureFixture[str]) -> None:
    run(build_watcher(quiet=True, as_json=True, stdout_is_terminal=False))
    out, err = capsys.readouterr()
    assert json.loads(out)["replay_id"] == "r-42"
    assert err == "a print from elsewhere\n"


def test_json_gives_stdout_back_after_a_failure(capsys: pytest.CaptureFixture[str]) -> None:
    with (
        pytest.raises(ValueError, match="boom"),
        build_watcher(quiet=True, as_json=True, stdout_is_terminal=False),
    ):
        raise ValueError("boom")
    print("here again")
    assert capsys.readouterr().out == "here again\n"


def test_quiet_is_quiet(capsys: pytest.CaptureFixture[str]) -> None:
    run(build_watcher(quiet=True, as_json=False, stdout_is_terminal=True))
    out, err = capsys.readouterr()
    assert (out, err) == ("a print from elsewhere\n", "")


def test_pipe_gets_plain_lines(capsys: pytest.CaptureFixture[str]) -> None:
    run(build_watcher(quiet=False, as_json=False, stdout_is_terminal=False))
    out = capsys.readouterr().out
    assert out.startswith("casper kitchen\n")
    assert "\x1b" not in out
    assert "What to try next" in out


def test_terminal_that_cannot_move_its_cursor_gets_plain_lines(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TERM", "dumb")
    monkeypatch.setenv("FORCE_COLOR", "1")
    run(build_watcher(quiet=False, as_json=False, stdout_is_terminal=True))
    assert "\x1b" not in capsys.readouterr().out


def test_nothing_heavy_is_imported_without_a_terminal() -> None:
    code = (
        "import sys; import casper_ray.console.watchers, casper_ray.console.run_command;"
        "loaded = {module.split('.')[0] for module in sys.modules};"
        "print(sorted(loaded & {'rich', 'polars', 'ray', 'pydantic', 'numpy'}))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
