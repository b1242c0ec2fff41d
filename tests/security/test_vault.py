"""The vault: what comes out is what went in, or nothing."""

from __future__ import annotations

import pickle

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from known_keys import ring_of
from polars.testing import assert_series_equal

from casper_ray.errors import ConfigError, UserError
from casper_ray.security.domains import Domain
from casper_ray.security.keys import fresh_ring
from casper_ray.security.vault import Vault

NAME = "Jörg “Red” O\u2019Brien \u202e"
ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"


def vault(*versions: int) -> Vault:
    return Vault(ring_of(*versions))


@given(st.sampled_from(Domain), st.text())
def test_what_was_sealed_is_opened_as_it_was(domain: Domain, text: str) -> None:
    sealed = vault(1).seal(domain, text)
    assert vault(1, 2).open(domain, sealed) == text
    assert sealed.startswith(f"sealed_{domain}_v1_")


def test_a_lone_surrogate_comes_back() -> None:
    assert vault(1).open(Domain.NAME, vault(1).seal(Domain.NAME, "a\ud800")) == "a\ud800"


def test_equal_texts_of_a_domain_seal_alike_and_others_do_not() -> None:
    assert vault(1).seal(Domain.NAME, NAME) == vault(1).seal(Domain.NAME, NAME)
    sealed = {vault(1).seal(domain, NAME).split("_", 3)[3] for domain in Domain}
    assert len(sealed) == len(Domain)
    assert vault(1).seal(Domain.NAME, "Anna") != vault(1).seal(Domain.NAME, "anna")


def _refused(domain: Domain, sealed: str, held: Vault) -> str:
    with pytest.raises(UserError) as refused:
        held.open(domain, sealed)
    error: BaseException | None = refused.value
    while error is not None:
        assert NAME not in str(error)
        assert sealed not in str(error) or not sealed
        assert NAME.encode() not in pickle.dumps(error)
        error = error.__cause__ or error.__context__
    return str(refused.value)


@pytest.mark.parametrize("text", ["", "a", "ab", NAME])
def test_one_letter_that_was_altered_is_found_wherever_it_is(text: str) -> None:
    held, sealed = vault(1), vault(1).seal(Domain.NAME, text)
    start = len("sealed_nam_v1_")
    for place in range(start, len(sealed)):
        for step in (1, 2, 17):
            letter = ALPHABET[(ALPHABET.index(sealed[place]) + step) % 64]
            told = _refused(Domain.NAME, sealed[:place] + letter + sealed[place + 1 :], held)
            assert "altered" in told or "form" in told


@pytest.mark.parametrize("cut", range(1, 50, 7))
def test_a_text_that_was_cut_is_not_opened(cut: int) -> None:
    told = _refused(Domain.NAME, vault(1).seal(Domain.NAME, NAME)[:-cut], vault(1))
    assert "altered" in told or "form" in told


@pytest.mark.parametrize(
    "text", ["", NAME, "sealed_nam_v1_", f"sealed_xyz_v1_{'A' * 30}", f"sealed_nam_v1_{'A' * 30}="]
)
def test_what_was_never_sealed_is_refused(text: str) -> None:
    with pytest.raises(UserError, match="has not the form of a sealed one"):
        vault(1).open(Domain.NAME, text)


def test_another_domain_is_refused_and_cannot_be_pretended() -> None:
    sealed = vault(1).seal(Domain.NAME, NAME)
    assert "it is of domain nam, expected adr" in _refused(Domain.ADDRESS, sealed, vault(1))
    pretended = sealed.replace("sealed_nam", "sealed_adr")
    assert "altered, or sealed with another key" in _refused(Domain.ADDRESS, pretended, vault(1))


def test_another_version_cannot_be_pretended() -> None:
    pretended = vault(1).seal(Domain.NAME, NAME).replace("_v1_", "_v2_")
    assert "nam v2: it was altered" in _refused(Domain.NAME, pretended, vault(1, 2))


def test_a_version_without_a_key_is_named() -> None:
    with pytest.raises(ConfigError, match="key vault v2 is not among the keys"):
        vault(1).open(Domain.NAME, vault(1, 2).seal(Domain.NAME, NAME))


def test_another_key_does_not_open() -> None:
    told = _refused(Domain.NAME, Vault(fresh_ring()).seal(Domain.NAME, NAME), vault(1))
    assert "sealed with another key" in told


def test_after_a_rotation_the_old_is_opened_and_sealed_anew() -> None:
    old, now = vault(1).seal(Domain.NAME, NAME), vault(1, 2)
    anew = now.resealed(Domain.NAME, old)
    assert anew == now.seal(Domain.NAME, NAME)
    assert anew.startswith("sealed_nam_v2_")
    assert vault(2).open(Domain.NAME, anew) == NAME


def test_a_column_is_sealed_row_by_row() -> None:
    column = pl.Series("name", [NAME, None, "", NAME])
    name, empty = vault(1).seal(Domain.NAME, NAME), vault(1).seal(Domain.NAME, "")
    assert_series_equal(vault(1).sealed(Domain.NAME, column), pl.Series("name", [name, None, empty, name]))
