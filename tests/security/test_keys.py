"""Keys, their versions, and what is refused of the JSON they are written in."""

from __future__ import annotations

import copy
import json
import pickle
import traceback
from typing import Any

import pytest
from known_keys import key_json, ring_of, secret

from casper_ray.errors import ConfigError
from casper_ray.security.keys import Key, KeyRing, Purpose, WrittenKeys, fresh_ring, parse_keys, written
from casper_ray.security.tokens import Tokeniser
from casper_ray.security.vault import Vault

TOKEN, VAULT = Purpose.TOKEN, Purpose.VAULT


def test_the_highest_version_is_in_use_and_the_others_stay() -> None:
    ring = ring_of(2, 10, 1)
    assert ring.versions(TOKEN) == (1, 2, 10)
    assert ring.current(TOKEN).version == 10
    assert ring.key(VAULT, 2).reveal() == secret(VAULT, 2)


def test_rotation_adds_a_version_to_one_purpose() -> None:
    before = ring_of(1)
    after = before.rotated(TOKEN)
    assert (after.versions(TOKEN), after.versions(VAULT)) == ((1, 2), (1,))
    assert after.key(TOKEN, 1).check == before.key(TOKEN, 1).check
    assert after.key(TOKEN, 2).check != before.key(TOKEN, 1).check
    assert before.versions(TOKEN) == (1,)


def test_fresh_rings_differ() -> None:
    assert len({key.check for ring in (fresh_ring(), fresh_ring()) for key in ring}) == 4


@pytest.mark.parametrize("purpose", Purpose)
def test_a_key_that_is_not_there_is_named(purpose: Purpose) -> None:
    with pytest.raises(ConfigError, match=f"key {purpose} v3 is not among the keys"):
        ring_of(1, 2).key(purpose, 3)


def test_a_purpose_may_be_missing_until_it_is_used() -> None:
    ring = parse_keys(json.dumps({"token": key_json(1)["token"]}), "here").ring
    assert Tokeniser(ring).version == 1
    with pytest.raises(ConfigError, match="key vault v1 is not among"):
        Vault(ring)


def test_what_is_written_is_read_again() -> None:
    for development in (True, False):
        text = written(WrittenKeys(ring_of(1, 2), development)).decode()
        again = parse_keys(text, "here")
        assert again.development is development
        assert [(k.name, k.reveal()) for k in again.ring] == [(k.name, k.reveal()) for k in ring_of(1, 2)]


_A = secret(TOKEN, 1).hex()
_REFUSED: list[tuple[Any, str]] = [
    ("", "no JSON object"),
    ("{", "no JSON object"),
    (_A, "no JSON object"),
    (f'["{_A}"]', "no JSON object"),
    ("[" * 100_000, "no JSON object"),
    (f'{{"token": {{"1": "{_A}", "1": "{secret(TOKEN, 2).hex()}"}}}}', "has a name twice"),
    ({}, "there are no keys"),
    ({"token": {}}, "there are no keys"),
    ({_A: {"1": "x"}}, "names that are not known"),
    ({"token": {"1": _A}, "development": _A}, "names that are not known"),
    ({"token": _A}, "token has no versions"),
    ({"token": {_A: "1"}}, "token has no versions"),
    ({"token": {"0": _A}}, "token has no versions"),
    ({"token": {"01": _A}}, "token has no versions"),
    ({"token": {"²": _A}}, "token has no versions"),
    ({"token": {"1": 17}}, "key token v1 is not written in hexadecimal"),
    ({"token": {"1": "z" + _A[1:]}}, "key token v1 is not written in hexadecimal"),
    ({"token": {"1": _A + "\n"}}, "key token v1 is not written in hexadecimal"),
    ({"token": {"1": _A[:-2]}}, "key token v1 has 31 bytes, expected 32"),
    ({"token": {"1": _A + "00"}}, "key token v1 has 33 bytes, expected 32"),
    ({"vault": {"4": _A}}, "key vault v4 has 32 bytes, expected 64"),
    ({"token": {"1": "00" * 32}}, "key token v1 is not random"),
    ({"token": {"1": b"changeit".hex() * 4}}, "key token v1 is not random"),
    ({"token": {"1": _A, "2": _A.upper()}}, "key token v2 is the same key as v1"),
]


@pytest.mark.parametrize(("value", "told"), _REFUSED)
def test_what_cannot_be_used_is_refused_in_one_line_without_a_secret(value: Any, told: str) -> None:
    text = value if isinstance(value, str) else json.dumps(value)
    with pytest.raises(ConfigError, match=told) as refused:
        parse_keys(text, "key file k.json")
    assert str(refused.value).startswith("key file k.json: ")
    assert "\n" not in str(refused.value)
    # The traceback's own lines quote this file's source; what counts is the exceptions, and those behind them.
    error: BaseException | None = refused.value
    while error is not None:
        shown = "".join(traceback.format_exception_only(error)) + repr(vars(error)) + repr(error.args)
        assert _A[:16] not in shown
        assert _A[:16].encode() not in pickle.dumps(error)
        error = error.__cause__ or error.__context__


def test_a_version_twice_is_refused() -> None:
    twice = [Key(TOKEN, 1, secret(TOKEN, version)) for version in (1, 2)]
    with pytest.raises(ConfigError, match="key token v1 is there twice"):
        KeyRing(twice)


def _holders() -> list[Any]:
    ring = ring_of(1)
    return [ring.current(TOKEN), ring.current(VAULT), ring, Tokeniser(ring), Vault(ring)]


@pytest.mark.parametrize("holder", _holders(), ids=lambda holder: type(holder).__name__)
def test_what_holds_keys_shows_none_and_is_not_pickled_or_copied(holder: Any) -> None:
    for shown in (repr(holder), str(holder), f"{holder}", f"{[holder]}", f"{(holder,)!r:>9}"):
        for purpose in Purpose:
            hidden = secret(purpose, 1)
            assert hidden.hex()[:12] not in shown
            assert repr(hidden)[2:12] not in shown
    assert not hasattr(holder, "__dict__")
    for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
        with pytest.raises(TypeError, match="hand over a KeySource"):
            pickle.dumps(holder, protocol)
    with pytest.raises(TypeError, match="hand over a KeySource"):
        copy.deepcopy(holder)


def test_a_check_knows_a_key_again_and_is_no_part_of_it() -> None:
    keys = list(ring_of(1, 2, 3))
    assert len({key.check for key in keys}) == len(keys)
    assert [key.check for key in keys] == [key.check for key in ring_of(1, 2, 3)]
    assert all(key.check not in key.reveal().hex() for key in keys)
