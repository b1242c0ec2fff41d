"""Where the keys of a run come from, and that everybody has the same ones."""

from __future__ import annotations

import json
import multiprocessing
import os
import pickle
import stat
from collections.abc import Callable
from multiprocessing.queues import Queue
from multiprocessing.synchronize import Barrier
from pathlib import Path
from typing import Any

import pytest
from known_keys import key_json, secret

from casper_ray.config import TokenKeyPlace, load_token_key_place
from casper_ray.errors import ConfigError
from casper_ray.security.key_source import KeySource, found_keys, load_keys, rotate_keys
from casper_ray.security.keys import KeyRing, Purpose

TOKEN, VAULT = Purpose.TOKEN, Purpose.VAULT
KeyFile = Callable[..., Path]
NOWHERE = TokenKeyPlace(False, None)
ENVIRONMENT = TokenKeyPlace(True, None)


def checks(ring: KeyRing) -> list[tuple[str, str]]:
    return [(key.name, key.check) for key in ring]


def at(path: Path) -> TokenKeyPlace:
    return TokenKeyPlace(False, path)


# What the environment says


def test_an_environment_without_keys_names_no_place() -> None:
    assert load_token_key_place({}) == NOWHERE


def test_a_place_is_named_without_the_secret() -> None:
    place = load_token_key_place({"CASPER_TOKEN_KEYS": json.dumps(key_json(1))})
    assert place == ENVIRONMENT
    assert secret(TOKEN, 1).hex()[:12] not in repr(place)


def test_a_file_is_named_from_wherever_a_worker_stands() -> None:
    place = load_token_key_place({"CASPER_TOKEN_KEYS_FILE": "k.json"})
    assert place == at(Path.cwd() / "k.json")


def test_two_places_are_refused() -> None:
    with pytest.raises(ConfigError, match="CASPER_TOKEN_KEYS and CASPER_TOKEN_KEYS_FILE: both are set"):
        load_token_key_place({"CASPER_TOKEN_KEYS": "{}", "CASPER_TOKEN_KEYS_FILE": "k.json"})


@pytest.mark.parametrize("name", ["CASPER_TOKEN_KEYS", "CASPER_TOKEN_KEYS_FILE"])
def test_a_variable_set_to_nothing_is_refused(name: str) -> None:
    with pytest.raises(ConfigError, match=f"{name}: is empty"):
        load_token_key_place({name: " "})


def test_keys_of_the_environment_are_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CASPER_TOKEN_KEYS", json.dumps(key_json(1, 2)))
    keys = load_keys(tmp_path)
    assert keys.ring.current(TOKEN).reveal() == secret(TOKEN, 2)
    assert (keys.warning, keys.source.file) == ("", None)
    assert not (tmp_path / "keys.json").exists()


def test_a_file_of_the_environment_is_taken(
    tmp_path: Path, key_file: KeyFile, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CASPER_TOKEN_KEYS_FILE", str(key_file()))
    keys = load_keys(tmp_path / "state")
    assert keys.ring.current(VAULT).reveal() == secret(VAULT, 1)
    assert keys.warning == ""
    assert not (tmp_path / "state" / "keys.json").exists()


# Files that are refused


def test_a_file_that_is_not_where_it_was_named_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"key file .*gone\.json: is not there"):
        load_keys(tmp_path / "state", at(tmp_path / "gone.json"))
    assert not (tmp_path / "state").exists()


@pytest.mark.parametrize("mode", [0o644, 0o640, 0o604, 0o620, 0o601, 0o660])
def test_a_file_that_others_have_access_to_is_refused(tmp_path: Path, key_file: KeyFile, mode: int) -> None:
    path = key_file(mode=mode)
    with pytest.raises(ConfigError, match=f"mode {mode:04o}, expected 0600") as refused:
        load_keys(tmp_path, at(path))
    assert refused.value.hint == f"`chmod 600 {path}`"


@pytest.mark.parametrize("mode", [0o600, 0o400])
def test_a_file_of_its_owner_alone_is_taken(tmp_path: Path, key_file: KeyFile, mode: int) -> None:
    assert load_keys(tmp_path, at(key_file(mode=mode))).ring.versions(TOKEN) == (1,)


def test_a_link_is_judged_by_the_file_behind_it(tmp_path: Path, key_file: KeyFile) -> None:
    link = tmp_path / "link.json"
    link.symlink_to(key_file(mode=0o644))
    with pytest.raises(ConfigError, match="mode 0644"):
        load_keys(tmp_path, at(link))
    (tmp_path / "given.json").chmod(0o600)
    assert load_keys(tmp_path, at(link)).ring.versions(TOKEN) == (1,)


def test_what_is_no_file_is_refused_at_once(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe", 0o600)
    (tmp_path / "folder").mkdir(0o700)
    for name in ("pipe", "folder"):
        with pytest.raises(ConfigError, match=f"{name}: is no file"):
            load_keys(tmp_path, at(tmp_path / name))


@pytest.mark.parametrize(
    ("value", "told"),
    [
        (b"no JSON", "is no JSON object"),
        (b"\xff\xfe{", "is no JSON object"),
        (b" " * 70_000, "has 70000 bytes, expected 65536 at most"),
        ({"token": {"1": "00ff"}}, "key token v1 has 2 bytes, expected 32"),
    ],
)
def test_a_file_without_good_keys_is_refused(
    tmp_path: Path, key_file: KeyFile, value: Any, told: str
) -> None:
    with pytest.raises(ConfigError, match=rf"key file .*given\.json: {told}"):
        load_keys(tmp_path, at(key_file(value)))


def test_an_empty_file_is_refused(tmp_path: Path, key_file: KeyFile) -> None:
    with pytest.raises(ConfigError, match="is no JSON object"):
        load_keys(tmp_path, at(key_file(b"")))


# Development keys


def test_without_keys_development_keys_are_made_once_with_a_warning(tmp_path: Path) -> None:
    first, again = load_keys(tmp_path, NOWHERE), load_keys(tmp_path, NOWHERE)
    assert checks(first.ring) == checks(again.ring)
    assert first.warning == again.warning
    assert "development keys" in first.warning
    assert stat.S_IMODE((tmp_path / "keys.json").stat().st_mode) == 0o600


def test_development_keys_are_never_there_for_others_to_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[int] = []
    really = os.fsync

    def watched(descriptor: int) -> None:
        found = os.fstat(descriptor)
        if stat.S_ISREG(found.st_mode) and found.st_size > 200:  # the keys, still under their temporary name
            seen.append(stat.S_IMODE(found.st_mode))
        really(descriptor)

    monkeypatch.setattr(os, "fsync", watched)
    before = os.umask(0)
    try:
        load_keys(tmp_path, NOWHERE)
    finally:
        os.umask(before)
    assert seen == [0o600]


def test_another_catalog_has_other_development_keys(tmp_path: Path) -> None:
    rings = [load_keys(tmp_path / name, NOWHERE).ring for name in "ab"]
    assert not {check for _, check in checks(rings[0])} & {check for _, check in checks(rings[1])}


def test_keys_that_somebody_put_into_the_state_folder_are_no_development_keys(
    tmp_path: Path, key_file: KeyFile
) -> None:
    key_file().rename(tmp_path / "keys.json")
    keys = load_keys(tmp_path, NOWHERE)
    assert keys.ring.current(TOKEN).reveal() == secret(TOKEN, 1)
    assert keys.warning == ""


def _load_at_once(state: Path, barrier: Barrier, found: Queue[list[tuple[str, str]]]) -> None:
    barrier.wait()
    found.put(checks(load_keys(state, NOWHERE).ring))


def test_processes_that_begin_at_once_end_with_the_same_development_keys(tmp_path: Path) -> None:
    context = multiprocessing.get_context("spawn")
    for turn in range(3):
        state, barrier, found = tmp_path / str(turn), context.Barrier(3), context.Queue()
        processes = [context.Process(target=_load_at_once, args=(state, barrier, found)) for _ in range(3)]
        for process in processes:
            process.start()
        answers = [found.get(timeout=60) for _ in processes]
        for process in processes:
            process.join()
        assert answers == [checks(load_keys(state, NOWHERE).ring)] * 3


# The same keys for a catalog, always


def test_another_key_of_the_same_version_is_refused(tmp_path: Path, key_file: KeyFile) -> None:
    load_keys(tmp_path, at(key_file()))
    other = key_json(1) | {"token": {"1": secret(TOKEN, 9).hex()}}
    with pytest.raises(ConfigError, match="key token v1 is not the key that the catalog was written with"):
        load_keys(tmp_path, at(key_file(other)))
    assert load_keys(tmp_path, at(key_file())).ring.versions(TOKEN) == (1,)


def test_an_older_file_is_refused(tmp_path: Path, key_file: KeyFile) -> None:
    load_keys(tmp_path, at(key_file(key_json(1, 2))))
    with pytest.raises(ConfigError, match="token ends at v1; the catalog was written with v2"):
        load_keys(tmp_path, at(key_file()))


def test_a_version_that_was_retired_is_not_missed(tmp_path: Path, key_file: KeyFile) -> None:
    load_keys(tmp_path, at(key_file(key_json(1, 2))))
    assert load_keys(tmp_path, at(key_file(key_json(2)))).ring.versions(TOKEN) == (2,)


def test_a_catalog_that_was_written_with_keys_gets_no_new_development_keys(
    tmp_path: Path, key_file: KeyFile
) -> None:
    load_keys(tmp_path, at(key_file()))
    with pytest.raises(ConfigError, match="is not there, and the catalog was written with keys"):
        load_keys(tmp_path, NOWHERE)


def test_no_key_is_in_what_the_catalog_remembers(tmp_path: Path, key_file: KeyFile) -> None:
    load_keys(tmp_path / "state", at(key_file(key_json(1, 2))))
    told = b"".join(path.read_bytes() for path in (tmp_path / "state").iterdir())
    assert b"vault" in told
    for purpose in Purpose:
        for version in (1, 2):
            assert secret(purpose, version).hex().encode() not in told
            assert secret(purpose, version) not in told


# Looking without a trace


def test_looking_makes_and_remembers_nothing(tmp_path: Path, key_file: KeyFile) -> None:
    state = tmp_path / "state"
    assert found_keys(state, NOWHERE) is None
    found = found_keys(state, at(key_file(key_json(1, 2))))
    assert found is not None
    assert found.ring.versions(TOKEN) == (1, 2)
    assert not state.exists()


def test_looking_finds_what_loading_finds(tmp_path: Path, key_file: KeyFile) -> None:
    loaded, found = load_keys(tmp_path, NOWHERE), found_keys(tmp_path, NOWHERE)
    assert found is not None
    assert (checks(found.ring), found.source, found.warning) == (
        checks(loaded.ring),
        loaded.source,
        loaded.warning,
    )
    with pytest.raises(ConfigError, match="is not the key that the catalog was written with"):
        found_keys(tmp_path, at(key_file()))
    (tmp_path / "keys.json").unlink()
    with pytest.raises(ConfigError, match=r"keys\.json: is not there"):
        found_keys(tmp_path, NOWHERE)


# Rotation


def test_rotation_keeps_the_older_version_and_the_mode(tmp_path: Path) -> None:
    before = load_keys(tmp_path, NOWHERE)
    after = rotate_keys(tmp_path, TOKEN, NOWHERE)
    assert (after.ring.versions(TOKEN), after.ring.versions(VAULT)) == ((1, 2), (1,))
    assert set(checks(before.ring)) < set(checks(after.ring))
    assert checks(load_keys(tmp_path, NOWHERE).ring) == checks(after.ring)
    assert stat.S_IMODE((tmp_path / "keys.json").stat().st_mode) == 0o600
    assert after.warning == before.warning


def test_a_file_behind_a_link_is_rotated_where_it_is(tmp_path: Path, key_file: KeyFile) -> None:
    link, file = tmp_path / "link.json", key_file()
    link.symlink_to(file)
    rotate_keys(tmp_path, VAULT, at(link))
    assert link.is_symlink()
    assert set(json.loads(file.read_bytes())["vault"]) == {"1", "2"}


def test_the_environment_is_not_rotated(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CASPER_TOKEN_KEYS", json.dumps(key_json(1, 2)))
    with pytest.raises(ConfigError, match="CASPER_TOKEN_KEYS: cannot be rotated") as refused:
        rotate_keys(tmp_path, TOKEN)
    assert refused.value.hint == "add version 3 of token where the variable is set"


# Workers


def _pickled(source: KeySource) -> KeySource:
    data = pickle.dumps(source)
    for purpose in Purpose:
        assert secret(purpose, 1) not in data
        assert secret(purpose, 1).hex().encode() not in data
    again: KeySource = pickle.loads(data)
    return again


def test_a_worker_loads_the_keys_from_the_same_file(tmp_path: Path, key_file: KeyFile) -> None:
    keys = load_keys(tmp_path, at(key_file()))
    assert checks(_pickled(keys.source).load()) == checks(keys.ring)


def test_a_worker_loads_the_keys_from_its_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CASPER_TOKEN_KEYS", json.dumps(key_json(1)))
    keys = load_keys(tmp_path)
    assert checks(_pickled(keys.source).load()) == checks(keys.ring)
    monkeypatch.delenv("CASPER_TOKEN_KEYS")
    with pytest.raises(ConfigError, match="CASPER_TOKEN_KEYS: is no JSON object"):
        _pickled(keys.source).load()


def test_a_worker_with_other_keys_is_refused(tmp_path: Path, key_file: KeyFile) -> None:
    keys = load_keys(tmp_path, at(key_file()))
    key_file(key_json(1) | {"vault": {"1": secret(VAULT, 5).hex()}})
    with pytest.raises(ConfigError, match="key vault v1 is another here than where the run began"):
        keys.source.load()


def test_a_worker_goes_on_with_the_version_that_the_run_began_with(tmp_path: Path) -> None:
    keys = load_keys(tmp_path, NOWHERE)
    rotate_keys(tmp_path, TOKEN, NOWHERE)
    assert checks(keys.source.load()) == checks(keys.ring)


def test_a_worker_can_be_given_the_keys_of_one_purpose(tmp_path: Path, key_file: KeyFile) -> None:
    source = load_keys(tmp_path, at(key_file())).source.only(TOKEN)
    assert [key.name for key in _pickled(source).load()] == ["key token v1"]
