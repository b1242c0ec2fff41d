"""Which texts count as the same."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from casper_ray.security.domains import Domain, normal_form

ALIKE = [
    (Domain.ACCOUNT, "QZ12 CSPR 0000 0123 4567 89", "qz12cspr000001234567\u00a089"),
    (Domain.ACCOUNT, "QZ12CSPR000001234567-89", "\u200fQZ12CSPR00000123456789\u200e\n"),
    (Domain.ACCOUNT, "\uff31\uff3a\uff11\uff12", "QZ12"),
    (Domain.CARD, "9899 9912 3456 7890", "9899-9912-3456-7890"),
    (Domain.CARD, "\uff19\uff18\uff19\uff19 99\u200b12 3456 7890", "9899991234567890"),
    (Domain.NAME, "  Anna\tMaria \n Lind", "anna maria lind"),
    (Domain.NAME, "J\u00f6rg M\u00fcller", "Jo\u0308rg MU\u0308LLER"),
    (Domain.NAME, "Groß", "GROSS"),
    (Domain.NAME, "O\u2019Brien", "o'brien"),
    (Domain.NAME, "O\u02bcBrien", "O`Brien"),
    (Domain.NAME, "“Red” Lind", '"red" lind'),
    (Domain.NAME, "Lind\u2011Berg", "lind-berg"),
    (Domain.NAME, "\u202eAnna\u202c Lind", "Anna L\u200bind"),
    (Domain.NAME, "\u2067דנה\u2069 לינד", "דנה לינד"),
    (Domain.NAME, "ﬁona", "Fiona"),
    (Domain.NAME, "Anna\x00Lind", "anna lind"),
    (Domain.NAME, "ΣΊΣΥΦΟΣ", "σίσυφος"),
    (Domain.ADDRESS, "Long Street 12,\nApt; 3", "long street 12 apt 3"),
    (Domain.PHONE, "+49 (30) 123-45.67", "0049 30/1234567"),
    (Domain.EMAIL, " Anna@Example.ORG", "anna@example.org"),
    (Domain.DEVICE, " d-17\n", "d-17"),
]

DIFFERENT = [
    (Domain.ACCOUNT, "QZ12", "QZ13"),
    (Domain.CARD, "0123", "123"),
    (Domain.CARD, "4111x1111", "41111111"),
    (Domain.NAME, "Müller", "Mueller"),
    (Domain.NAME, "Müller", "Muller"),
    (Domain.NAME, "Anna Lind", "Lind Anna"),
    (Domain.NAME, "Anna Lind", "Annalind"),
    (Domain.ADDRESS, "Long Street 12", "Long Street 1 2"),
    (Domain.DEVICE, "d-17", "D-17"),
    (Domain.PARTY, "p 1", "p1"),
]


@pytest.mark.parametrize(("domain", "one", "other"), ALIKE)
def test_texts_that_are_written_differently_are_alike(domain: Domain, one: str, other: str) -> None:
    assert normal_form(domain, one) == normal_form(domain, other) != ""


@pytest.mark.parametrize(("domain", "one", "other"), DIFFERENT)
def test_texts_that_mean_different_things_stay_different(domain: Domain, one: str, other: str) -> None:
    assert normal_form(domain, one) != normal_form(domain, other)


@pytest.mark.parametrize("domain", Domain)
@pytest.mark.parametrize("text", ["", " ", "\n\t", "\u00a0"])
def test_nothing_is_left_of_nothing(domain: Domain, text: str) -> None:
    assert normal_form(domain, text) == ""


@given(st.sampled_from(Domain), st.text())
@example(Domain.NAME, "\u0345\u03b1")
@example(Domain.ACCOUNT, "\u0149\u3392")
@example(Domain.PHONE, "C/\u0327")
@example(Domain.EMAIL, "C \u0327")
def test_a_normal_form_is_its_own(domain: Domain, text: str) -> None:
    form = normal_form(domain, text)
    assert normal_form(domain, form) == form


@given(st.text())
def test_a_name_is_the_same_however_it_is_composed(text: str) -> None:
    forms = {normal_form(Domain.NAME, unicodedata.normalize(how, text)) for how in ("NFC", "NFD")}
    assert len(forms) == 1


@given(
    st.text(st.characters(min_codepoint=32, max_codepoint=126)), st.sampled_from("\u202e\u200f\u200d\ufeff")
)
def test_a_mark_that_nobody_sees_changes_no_name(text: str, mark: str) -> None:
    hidden = mark.join(text)
    assert normal_form(Domain.NAME, hidden) == normal_form(Domain.NAME, text)


@given(st.sampled_from(Domain), st.text(st.characters(min_codepoint=33, max_codepoint=126)))
def test_every_digit_and_letter_of_an_ascii_text_is_kept(domain: Domain, text: str) -> None:
    def kept(word: str) -> str:
        return "".join(c for c in word.lower() if c.isalnum())

    expected = kept(text)
    if domain == Domain.PHONE and normal_form(domain, text).startswith("+") and expected.startswith("00"):
        expected = expected[2:]
    assert kept(normal_form(domain, text)) == expected
