"""The file of API keys, and what is done to it."""

from __future__ import annotations

import stat
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from casper_ray.errors import ConfigError, UserError
from casper_ray.serve.access.api_keys import prefix_of, proves
from casper_ray.serve.access.first_key import first_admin_key
from casper_ray.serve.access.key_file import keys_path, read_keys
from casper_ray.serve.access.key_store import KeyConflictError, KeyStore, NoSuchKeyError
from casper_ray.serve.access.principal import Role
from casper_ray.serve.settings import ServeSettings

NOW = datetime(2024, 5, 1, 12, tzinfo=UTC)


@pytest.fixture
def store(tmp_path: Path) -> KeyStore:
    return KeyStore(tmp_path / "state" / "keys.json", now=lambda: NOW)


def test_a_key_is_kept_as_a_hash_for_its_owner_only(store: KeyStore) -> None:
    made = store.add("shop floor", Role.OPERATOR)
    written = store.path.read_text()
    assert stat.S_IMODE(store.path.stat().st_mode) == 0o600
    assert made.text not in written
    assert made.text.rpartition("_")[2] not in written
    assert made.record.hash.startswith("$argon2id$")
    assert proves(made.text, made.record.hash)
    assert prefix_of(made.text) == made.record.prefix


def test_a_key_shows_its_text_and_hash_to_nobody_by_chance(store: KeyStore) -> None:
    made = store.add("a", Role.OPERATOR)
    for shown in (repr(made), str(made.record), str(made.record.told())):
        assert made.text not in shown
        assert "argon2" not in shown


def test_keys_that_are_made_at_once_are_all_kept(store: KeyStore) -> None:
    with ThreadPoolExecutor(8) as threads:
        made = list(threads.map(lambda n: store.add(f"key {n}", Role.VIEWER), range(12)))
    assert {record.id for record in store.records()} == {each.record.id for each in made}


@pytest.mark.parametrize("mode", [0o644, 0o640, 0o602, 0o660])
def test_a_file_that_others_have_access_to_is_refused(store: KeyStore, mode: int) -> None:
    store.add("a", Role.ADMIN)
    store.path.chmod(mode)
    with pytest.raises(ConfigError, match=f"mode {mode:04o}, expected 0600"):
        store.records()
    with pytest.raises(ConfigError):
        store.add("b", Role.ADMIN)


@pytest.mark.parametrize("text", ["", "[]", "secret-in-the-wrong-place", '{"keys": [{"hash": "secret-in"}]}'])
def test_a_file_of_something_else_is_refused_without_a_word_of_it(tmp_path: Path, text: str) -> None:
    path = tmp_path / "keys.json"
    path.write_text(text)
    path.chmod(0o600)
    with pytest.raises(ConfigError, match="holds something else than keys") as refused:
        read_keys(path)
    assert "secret-in" not in str(refused.value)
    assert refused.value.__context__ is None or refused.value.__suppress_context__


def test_a_key_that_is_there_twice_is_refused(store: KeyStore) -> None:
    store.add("a", Role.VIEWER)
    text = store.path.read_text()
    one = text[text.index("  {") : text.rindex("  }") + 3]
    store.path.write_text(text.replace(one, f"{one},{one}"))
    with pytest.raises(ConfigError):
        store.records()


@pytest.mark.parametrize("name", ["", " a", "a" * 65, "a\nb", "a;b", "<b>", "ä", "a\x00", 'a"b'])
def test_names_that_could_break_out_of_a_line_or_a_page_are_refused(store: KeyStore, name: str) -> None:
    with pytest.raises(ConfigError, match="name of a key"):
        store.add(name, Role.VIEWER)


def test_a_rotated_key_has_a_new_secret_and_the_old_one_none_any_more(store: KeyStore) -> None:
    first = store.add("a", Role.VIEWER)
    second = store.rotate(first.record.id)
    (record,) = store.records()
    assert second.text != first.text
    assert record.prefix == first.record.prefix
    assert record.good(record.hash, NOW)
    assert not record.good(first.record.hash, NOW)
    assert record.rotated == NOW


def test_the_old_secret_is_good_for_as_long_as_was_said(store: KeyStore) -> None:
    first = store.add("a", Role.VIEWER)
    store.rotate(first.record.id, overlap_s=60)
    (record,) = store.records()
    assert record.good(first.record.hash, NOW + timedelta(seconds=59))
    assert not record.good(first.record.hash, NOW + timedelta(seconds=60))
    assert proves(first.text, record.old_hash or "")


def test_a_key_opens_nothing_from_its_expiry_on(store: KeyStore) -> None:
    record = store.add("a", Role.VIEWER, expires_s=10).record
    assert record.live(NOW + timedelta(seconds=9.9))
    assert not record.live(NOW + timedelta(seconds=10))


def test_a_key_that_does_not_live_is_not_rotated_back_to_life(store: KeyStore) -> None:
    made = store.add("a", Role.VIEWER)
    store.revoke(made.record.id, leave_admin=True)
    with pytest.raises(KeyConflictError, match="was revoked"):
        store.rotate(made.record.id)


def test_the_last_key_of_an_admin_is_left_unless_the_machines_owner_says_so(store: KeyStore) -> None:
    first, second = store.add("a", Role.ADMIN), store.add("b", Role.ADMIN)
    store.revoke(first.record.id, leave_admin=True)
    with pytest.raises(KeyConflictError, match="the last one of an admin"):
        store.revoke(second.record.id, leave_admin=True)
    assert store.revoke(second.record.id, leave_admin=False).revoked == NOW


def test_revoking_again_changes_nothing(store: KeyStore) -> None:
    made = store.add("a", Role.VIEWER)
    once = store.revoke(made.record.id, leave_admin=True)
    later = KeyStore(store.path, now=lambda: NOW + timedelta(days=1))
    assert later.revoke(made.record.id, leave_admin=True) == once


def test_an_id_that_is_not_there_is_told_without_being_quoted(store: KeyStore) -> None:
    with pytest.raises(NoSuchKeyError) as refused:
        store.revoke("crk_typed_in_the_wrong_place", leave_admin=True)
    assert "crk_typed" not in str(refused.value)
    assert isinstance(refused.value, UserError)


def test_the_oldest_keys_that_are_over_make_room_and_live_ones_never_do(tmp_path: Path) -> None:
    store = KeyStore(tmp_path / "keys.json", most=2)
    over, live = store.add("a", Role.VIEWER).record, store.add("b", Role.VIEWER).record
    with pytest.raises(KeyConflictError, match="there are 2 keys"):
        store.add("c", Role.VIEWER)
    store.revoke(over.id, leave_admin=True)
    new = store.add("c", Role.VIEWER).record
    assert [record.id for record in store.records()] == [live.id, new.id]


def test_each_start_shows_a_key_of_its_own_and_earlier_ones_go(tmp_path: Path) -> None:
    store = KeyStore(tmp_path / "keys.json")
    first, second = first_admin_key(store), first_admin_key(store)
    assert first is not None
    assert second is not None
    (record,) = store.records()
    assert record.id == second.record.id
    assert record.role is Role.ADMIN
    assert record.expires is not None


def test_no_key_is_shown_once_an_admin_has_one_of_their_own(tmp_path: Path) -> None:
    store = KeyStore(tmp_path / "keys.json")
    store.add("ops", Role.ADMIN)
    assert first_admin_key(store) is None


def test_keys_are_beside_the_first_catalog_unless_settings_name_a_file(tmp_path: Path) -> None:
    settings = ServeSettings.model_validate({"lake": str(tmp_path), "catalogs": {"bank": "bank_dev"}})
    assert keys_path(settings) == tmp_path / "bank_dev" / "_casper" / "serve-keys.json"
    named = ServeSettings.model_validate({"access": {"keys_file": "/etc/keys.json"}})
    assert keys_path(named) == Path("/etc/keys.json")
