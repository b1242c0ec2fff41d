"""Files are wholly there or not there."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from casper_ray import durable


def test_a_file_is_written_with_the_folders_above_it(tmp_path: Path) -> None:
    durable.write_file(tmp_path / "a" / "b" / "c.json", b"one")
    assert (tmp_path / "a" / "b" / "c.json").read_bytes() == b"one"
    assert os.listdir(tmp_path / "a" / "b") == ["c.json"]


def test_the_last_writer_wins(tmp_path: Path) -> None:
    for data in (b"one, which is longer", b"two"):
        durable.write_file(tmp_path / "c.json", data)
    assert (tmp_path / "c.json").read_bytes() == b"two"
    assert os.listdir(tmp_path) == ["c.json"]


def test_a_file_has_its_mode_from_the_first_moment_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    modes, really = [], os.fsync

    def watched(descriptor: int) -> None:
        modes.append(os.fstat(descriptor).st_mode & 0o777)
        really(descriptor)

    monkeypatch.setattr(os, "fsync", watched)
    durable.write_file(tmp_path / "c.json", b"secret", 0o600)
    assert modes[0] == (tmp_path / "c.json").stat().st_mode & 0o777 == 0o600


def test_a_failure_while_writing_leaves_the_old_file_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    durable.write_file(tmp_path / "c.json", b"old")
    seen: list[str] = []

    def full(descriptor: int) -> None:
        seen.extend(os.listdir(tmp_path))
        raise OSError("disk full")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="disk full"):
        durable.write_file(tmp_path / "c.json", b"new")
    assert (tmp_path / "c.json").read_bytes() == b"old"
    assert os.listdir(tmp_path) == ["c.json"]
    (temporary,) = set(seen) - {"c.json"}
    assert temporary.startswith(".")
    assert not temporary.endswith(".json")


def test_an_interrupt_while_writing_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(descriptor: int) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "fsync", interrupted)
    with pytest.raises(KeyboardInterrupt):
        durable.write_file(tmp_path / "c.json", b"new")
    assert os.listdir(tmp_path) == []


def test_a_name_that_cannot_be_taken_leaves_no_temporary_file(tmp_path: Path) -> None:
    (tmp_path / "c.json").mkdir()
    with pytest.raises(OSError, match=r"c\.json"):
        durable.write_file(tmp_path / "c.json", b"new")
    assert os.listdir(tmp_path) == ["c.json"]


def test_the_file_is_flushed_before_it_is_renamed_and_its_folder_after(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, flushed, really = tmp_path / "c.json", [], os.fsync

    def watched(descriptor: int) -> None:
        flushed.append((os.path.isdir(f"/proc/self/fd/{descriptor}"), path.exists()))
        really(descriptor)

    monkeypatch.setattr(os, "fsync", watched)
    durable.write_file(path, b"new")
    assert flushed == [(False, False), (True, True)]


def test_json_comes_back_as_it_was(tmp_path: Path) -> None:
    value = {"paused": False, "speed": 1.5, "windows": [[0, 1, 2]], "name": "Ä"}
    durable.write_json(tmp_path / "c.json", value)
    assert durable.read_json(tmp_path / "c.json") == value


def test_no_file_is_none(tmp_path: Path) -> None:
    assert durable.read_json(tmp_path / "c.json") is None


@pytest.mark.parametrize("data", [b"", b"{", b"[1]", b"null", b'"text"', b"\xff"])
def test_what_is_no_json_object_is_refused(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "c.json").write_bytes(data)
    with pytest.raises(ValueError, match=r".+"):
        durable.read_json(tmp_path / "c.json")


def test_many_files_and_folders_are_flushed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    paths = [tmp_path / f"{i}" for i in range(40)]
    for path in paths:
        path.touch()
    flushed: set[str] = set()
    monkeypatch.setattr(os, "fsync", lambda fd: flushed.add(os.readlink(f"/proc/self/fd/{fd}")))
    durable.flush_all([*paths, tmp_path])
    assert flushed == {str(path) for path in [*paths, tmp_path]}


def test_a_write_that_fails_says_which_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(descriptor: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space left") as failed:
        durable.write_file(tmp_path / "c.json", b"new")
    assert failed.value.filename == str(tmp_path / "c.json")
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize(
    "error", [OSError(errno.ENOSPC, "full"), OSError("Generic error: no space left (os error 28)")]
)
def test_what_the_system_refuses_is_said_with_its_place(tmp_path: Path, error: OSError) -> None:
    with pytest.raises(OSError, match=r"c\.json") as refused, durable.placed(tmp_path / "c.json"):
        raise error
    assert (refused.value.errno, refused.value.filename) == (errno.ENOSPC, str(tmp_path / "c.json"))


@pytest.mark.parametrize("error", [OSError("of no number"), OSError(errno.ENOENT, "gone", "elsewhere")])
def test_an_error_that_is_not_the_systems_or_knows_its_place_is_left_alone(
    tmp_path: Path, error: OSError
) -> None:
    with pytest.raises(OSError, match=r"of no number|elsewhere") as refused, durable.placed(tmp_path):
        raise error
    assert refused.value is error
