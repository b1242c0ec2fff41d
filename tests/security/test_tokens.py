"""Tokens: alike where the text is, different everywhere else."""

from __future__ import annotations

import base64
import hmac
import re

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from known_keys import ring_of, secret
from polars.testing import assert_frame_equal, assert_series_equal

from casper_ray.errors import ConfigError
from casper_ray.security import tokens
from casper_ray.security.domains import Domain
from casper_ray.security.keys import Key, KeyRing, Purpose, fresh_ring
from casper_ray.security.tokens import Tokeniser, TokenParts, token_parts

IBAN = "QZ12CSPR00000123456789"


def tokeniser(*versions: int) -> Tokeniser:
    return Tokeniser(ring_of(*versions))


def test_a_token_says_domain_and_version_and_is_26_letters() -> None:
    token = tokeniser(1, 3).token(Domain.ACCOUNT, IBAN)
    assert token is not None
    assert re.fullmatch(r"acc_v3_[a-z2-7]{26}", token)
    assert token_parts(token) == TokenParts(Domain.ACCOUNT, 3)


def test_a_token_is_hmac_sha256_of_domain_and_normal_form() -> None:
    mac = hmac.digest(secret(Purpose.TOKEN, 1), b"casper token acc\0" + IBAN.encode(), "sha256")
    letters = base64.b32encode(mac[:16]).decode().rstrip("=").lower()
    assert tokeniser(1).token(Domain.ACCOUNT, "qz12 cspr 0000 0123 4567 89") == f"acc_v1_{letters}"


def test_the_same_text_has_the_same_token_in_every_tokeniser() -> None:
    assert tokeniser(1).token(Domain.NAME, "Anna Lind") == tokeniser(1).token(Domain.NAME, "ANNA  LIND")


def test_a_text_has_another_token_in_each_domain() -> None:
    tokens = {(tokeniser(1).token(domain, "12345678") or "")[7:] for domain in Domain}
    assert len(tokens) == len(Domain)


def test_another_key_makes_another_token() -> None:
    tokens = {(Tokeniser(fresh_ring()).token(Domain.CARD, "9899991234567890") or "")[7:] for _ in range(3)}
    assert len(tokens) == 3


@pytest.mark.parametrize("text", [None, "", "  \n", "\u200b"])
def test_nothing_has_no_token(text: str | None) -> None:
    assert tokeniser(1).token(Domain.NAME, text) is None


def test_a_column_keeps_its_name_order_and_nulls() -> None:
    column = pl.Series("payer_name", ["Anna Lind", None, "bo ek", " ", "ANNA LIND"])
    tokens = tokeniser(1).tokens(Domain.NAME, column)
    anna, bo = (tokeniser(1).token(Domain.NAME, name) for name in ("Anna Lind", "Bo Ek"))
    assert_series_equal(tokens, pl.Series("payer_name", [anna, None, bo, None, anna]))


@pytest.mark.parametrize("dtype", [pl.String, pl.Categorical, pl.Null])
@pytest.mark.parametrize("rows", [0, 2])
def test_a_column_of_nothing_gives_a_string_column(dtype: pl.DataType, rows: int) -> None:
    tokens = tokeniser(1).tokens(Domain.NAME, pl.Series("name", [None] * rows, dtype=dtype))
    assert_series_equal(tokens, pl.Series("name", [None] * rows, dtype=pl.String))


def test_categories_are_texts() -> None:
    column = pl.Series(["a", "b", None, "a"])
    expected = tokeniser(1).tokens(Domain.DEVICE, column)
    for dtype in (pl.Categorical, pl.Enum(["a", "b", "c"])):
        assert_series_equal(tokeniser(1).tokens(Domain.DEVICE, column.cast(dtype)), expected)


def test_a_column_in_several_pieces_is_one() -> None:
    pieces = pl.concat([pl.Series(["a", "b"]), pl.Series(["b", None])], rechunk=False)
    expected = tokeniser(1).tokens(Domain.DEVICE, pl.Series(["a", "b", "b", None]))
    assert_series_equal(tokeniser(1).tokens(Domain.DEVICE, pieces), expected)
    assert_series_equal(tokeniser(1).tokens(Domain.DEVICE, pieces[1:]), expected[1:])


@pytest.mark.parametrize("column", [pl.Series("n", [1, 2]), pl.Series("n", [1.5]), pl.Series("n", [b"a"])])
def test_a_column_that_is_no_text_is_refused(column: pl.Series) -> None:
    with pytest.raises(TypeError, match="column 'n' is"):
        tokeniser(1).tokens(Domain.ACCOUNT, column)


@given(st.sampled_from(Domain), st.lists(st.none() | st.text(), max_size=12))
def test_a_column_has_the_tokens_of_its_texts(domain: Domain, texts: list[str | None]) -> None:
    tokens = tokeniser(1).tokens(domain, pl.Series(texts, dtype=pl.String))
    assert tokens.to_list() == [tokeniser(1).token(domain, text) for text in texts]


@given(st.sampled_from(Domain), st.text())
def test_a_token_shows_nothing_of_its_text_and_matches_it(domain: Domain, text: str) -> None:
    token = tokeniser(1).token(domain, text)
    if token is not None:
        assert token_parts(token) == TokenParts(domain, 1)
        assert tokeniser(1, 2).matches(domain, text, token)


def test_a_lone_surrogate_has_a_token() -> None:
    one, other = (tokeniser(1).token(Domain.NAME, f"Anna {half}") for half in ("\ud800", "\udc00"))
    assert one != other
    assert one is not None


def test_tokens_of_older_versions_still_match() -> None:
    old = tokeniser(1).token(Domain.ACCOUNT, IBAN)
    assert old is not None
    now = tokeniser(1, 2)
    assert now.token(Domain.ACCOUNT, IBAN) != old
    assert now.matches(Domain.ACCOUNT, IBAN.lower(), old)
    assert not now.matches(Domain.ACCOUNT, IBAN + "0", old)
    assert not now.matches(Domain.CARD, IBAN, old)
    assert not now.matches(Domain.CARD, IBAN, old.replace("_v1_", "_v9_"))


@pytest.mark.parametrize(
    "token", ["", IBAN, "acc_v1_", f"acc_v0_{'a' * 26}", f"xyz_v1_{'a' * 26}", f"acc_v1_{'A' * 26}"]
)
def test_what_is_no_token_matches_nothing(token: str) -> None:
    assert token_parts(token) is None
    assert not tokeniser(1).matches(Domain.ACCOUNT, IBAN, token)


def test_a_version_that_says_to_be_another_does_not_match() -> None:
    token = tokeniser(1).token(Domain.ACCOUNT, IBAN)
    assert token is not None
    assert not tokeniser(1, 2).matches(Domain.ACCOUNT, IBAN, token.replace("_v1_", "_v2_"))


def test_a_version_without_a_key_is_named() -> None:
    with pytest.raises(ConfigError, match="key token v7 is not among the keys") as refused:
        tokeniser(1).matches(Domain.ACCOUNT, IBAN, f"acc_v7_{'a' * 26}")
    assert IBAN not in str(refused.value)


def test_old_tokens_are_renamed_for_texts_that_are_at_hand() -> None:
    texts = pl.Series(["Anna Lind", "anna lind", "Bo Ek", None, " "])
    old, new = (tokeniser(*versions).tokens(Domain.NAME, texts) for versions in ((1,), (1, 2)))
    renamed = tokeniser(1, 2).renamed(Domain.NAME, texts, 1)
    expected = pl.DataFrame({"old": old, "new": new}).drop_nulls().unique().sort("old")
    assert_frame_equal(renamed, expected)
    assert renamed.height == 2
    assert_series_equal(old.replace_strict(renamed["old"], renamed["new"]), new)


def test_renaming_nothing_gives_no_rows() -> None:
    assert tokeniser(1, 2).renamed(Domain.NAME, pl.Series([None], dtype=pl.String), 1).shape == (0, 2)


def test_a_ring_without_a_key_for_tokens_is_refused() -> None:
    vault_only = KeyRing([Key(Purpose.VAULT, 1, secret(Purpose.VAULT, 1))])
    with pytest.raises(ConfigError, match="key token v1 is not among"):
        Tokeniser(vault_only)


def test_a_hundred_thousand_texts_have_as_many_tokens() -> None:
    column = pl.Series([f"QZ{number:020d}" for number in range(100_000)])
    tokens = tokeniser(1).tokens(Domain.ACCOUNT, column)
    assert tokens.n_unique() == len(column)
    assert not tokens.str.contains(r"[0-9]{9}").any()


def test_more_texts_than_are_remembered_have_the_same_tokens(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tokens, "_REMEMBERED_TEXTS", 10)
    made = tokeniser(1)
    for start, length in ((0, 8), (4, 8), (8, 8), (3, 30), (0, 8)):
        texts = [f"QZ{number:04d}" for number in range(start, start + length)]
        wanted = [made.token(Domain.ACCOUNT, text) for text in texts]
        assert made.tokens(Domain.ACCOUNT, pl.Series(texts)).to_list() == wanted
