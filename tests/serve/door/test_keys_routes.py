"""API keys over HTTP."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from open_door import OpenDoor

from casper_ray.serve.access.principal import Role


@pytest.fixture(scope="module")
def door(tmp_path_factory: pytest.TempPathFactory) -> OpenDoor:
    return OpenDoor.over(tmp_path_factory.mktemp("keys"))


def opens(door: OpenDoor, key: str) -> int:
    time.sleep(0.3)  # a change of the file is noticed within a quarter of a second
    return door.ask("GET", "/v1/agents", None, headers={"Authorization": f"Bearer {key}"}).status_code


def test_a_key_is_shown_when_it_is_made_and_never_again(door: OpenDoor) -> None:
    made = door.ask("POST", "/v1/keys", json={"name": "till 7", "role": "operator", "expires_s": 3_600})
    assert made.status_code == 201
    assert made.headers["Cache-Control"] == "no-store"
    key = made.json()["key"]
    assert opens(door, key) == 200
    listed = door.ask("GET", "/v1/keys", Role.AUDITOR).text
    assert made.json()["id"] in listed
    assert key not in listed
    assert "argon2" not in listed


def test_a_rotated_key_opens_by_its_new_secret_only(door: OpenDoor) -> None:
    made = door.ask("POST", "/v1/keys", json={"name": "a", "role": "viewer"}).json()
    rotated = door.ask("POST", f"/v1/keys/{made['id']}/rotate", json={}).json()
    assert (opens(door, made["key"]), opens(door, rotated["key"])) == (401, 200)


def test_a_revoked_key_opens_nothing(door: OpenDoor) -> None:
    made = door.ask("POST", "/v1/keys", json={"name": "a", "role": "viewer"}).json()
    assert opens(door, made["key"]) == 200
    assert door.ask("DELETE", f"/v1/keys/{made['id']}").json()["revoked"]
    assert opens(door, made["key"]) == 401
    assert door.ask("DELETE", f"/v1/keys/{made['id']}").status_code == 200


def test_the_last_admin_cannot_lock_everybody_out(door: OpenDoor) -> None:
    (admin,) = [record.id for record in door.store.records() if record.role is Role.ADMIN]
    refused = door.ask("DELETE", f"/v1/keys/{admin}")
    assert (refused.status_code, refused.json()["error"]["type"]) == (409, "conflict")
    assert opens(door, door.keys[Role.ADMIN]) == 200


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"name": "a"},
        {"name": "a", "role": "root"},
        {"name": "a\r\nSet-Cookie: b", "role": "viewer"},
        {"name": "<script>", "role": "viewer"},
        {"name": "a", "role": "viewer", "expires_s": 0},
        {"name": "a", "role": "viewer", "expires_s": 1e300},
        {"name": "a", "role": "viewer", "id": "key-aaaaaaaaaa"},
        [],
        None,
    ],
)
def test_keys_of_another_form_are_not_made(door: OpenDoor, body: object) -> None:
    before = door.store.records()
    assert door.ask("POST", "/v1/keys", json=body).status_code == 422
    assert door.store.records() == before


@pytest.mark.parametrize("key_id", ["key-2222222222", "nobody", "key-%27%20OR%201"])
def test_ids_that_no_key_has_are_told_apart_from_those_that_cannot_be(door: OpenDoor, key_id: str) -> None:
    expected = 404 if key_id == "key-2222222222" else 422
    assert door.ask("DELETE", f"/v1/keys/{key_id}").status_code == expected
    assert door.ask("POST", f"/v1/keys/{key_id}/rotate", json={}).status_code == expected


def test_what_is_done_to_keys_is_audited(door: OpenDoor) -> None:
    before = len(door.noted.kept)
    made = door.ask("POST", "/v1/keys", json={"name": "a", "role": "viewer"}).json()
    door.ask("POST", f"/v1/keys/{made['id']}/rotate", json={})
    door.ask("DELETE", f"/v1/keys/{made['id']}")
    assert [event.outcome for event in door.noted.kept[before:]] == ["key_made", "key_rotated", "key_revoked"]
    assert made["key"] not in repr(door.noted.kept)


def test_a_file_of_keys_that_others_can_read_is_not_used(tmp_path: Path) -> None:
    door = OpenDoor.over(tmp_path)
    assert opens(door, door.keys[Role.ADMIN]) == 200
    door.store.path.chmod(0o644)
    assert opens(door, door.keys[Role.ADMIN]) == 503
