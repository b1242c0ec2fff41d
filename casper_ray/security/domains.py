"""What is replaced by tokens, and the form in which two texts count as the same."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Mapping
from enum import StrEnum
from typing import Final, Literal


class Domain(StrEnum):
    """A kind of personal data. The value begins its tokens; a text has another token in each domain.

    Own and foreign accounts are one domain, since a payee may be a customer.
    """

    ACCOUNT = "acc"
    CARD = "crd"
    NAME = "nam"
    ADDRESS = "adr"
    PHONE = "tel"
    EMAIL = "eml"
    BIRTH_DATE = "dob"
    DEVICE = "dev"
    PARTY = "pty"
    CUSTOMER = "cus"


def normal_form(domain: Domain, text: str) -> str:
    """The form of `text` whose bytes the token is made of; empty where nothing is left.

    Rules: see the function of each domain. Forms are never shortened or checked: what is malformed gets a token of
    its own, and two texts that mean different things do not become one. Applied twice it changes nothing more.
    """
    return _FORMS[domain](text)


def account_form(text: str) -> str:
    """Accounts and IBANs: NFKC, upper case, without spaces and hyphens (ISO 13616 prints groups of four)."""
    return _compact(text, "-")


def card_form(text: str) -> str:
    """Card numbers: as accounts. Digits of full width are plain, leading zeros stay, and what is no digit stays."""
    return account_form(text)


def phone_form(text: str) -> str:
    """Phone numbers: as accounts, without brackets, dots and slashes too; `00` at the beginning is `+`."""
    form = _compact(text, "-()./")
    return f"+{form[2:]}" if form.startswith("00") else form


def name_form(text: str) -> str:
    """Names: NFKC, casefold (ß is ss), no bidi or zero-width marks, quotes and hyphens of one shape, single spaces.

    Umlauts stay: ü is ü however it is composed, and neither u nor ue. Order and punctuation stay.
    """
    if text.isascii():  # what follows changes nothing of it but its letters, backticks, spaces and controls
        plain = text.lower()
        shaped = plain if text.isprintable() and "`" not in text else plain.translate(_SHAPES)
        return " ".join(shaped.split())
    # NFD, casefold, NFKD, casefold: Unicode 3.13 D146, caseless comparison of compatible characters.
    plain = unicodedata.normalize("NFD", text.translate(_SHAPES)).casefold()
    plain = unicodedata.normalize("NFKD", plain).casefold()
    return " ".join(unicodedata.normalize("NFKC", plain).translate(_SHAPES).split())


def address_form(text: str) -> str:
    """Addresses: as names; commas, semicolons and line ends count as spaces."""
    return " ".join(name_form(text).translate(_LIST_MARKS).split())


def email_form(text: str) -> str:
    """E-mail addresses: as names, without any space."""
    return _normalised("NFKC", "".join(_normalised("NFKD", name_form(text)).split()))


def opaque_form(text: str) -> str:
    """Ids that somebody gave out: as they are, less spaces around them. Upper and lower case differ."""
    return text.strip()


_FORMS: Final[Mapping[Domain, Callable[[str], str]]] = {
    Domain.ACCOUNT: account_form,
    Domain.CARD: card_form,
    Domain.NAME: name_form,
    Domain.ADDRESS: address_form,
    Domain.PHONE: phone_form,
    Domain.EMAIL: email_form,
    Domain.BIRTH_DATE: opaque_form,
    Domain.DEVICE: opaque_form,
    Domain.PARTY: opaque_form,
    Domain.CUSTOMER: opaque_form,
}

_HYPHENS: Final = "\u2010\u2011\u2012\u2013\u2014\u2015\u2212\ufe58\ufe63\uff0d"
_SINGLE_QUOTES: Final = "\u2018\u2019\u201a\u201b\u2032\u02bc\u02b9\u00b4\u0060\uff07"
_DOUBLE_QUOTES: Final = "\u201c\u201d\u201e\u201f\u2033\u00ab\u00bb\uff02"


class _Shapes(dict[int, int | str]):
    """For `str.translate`: quotes and hyphens to their plain shape, controls (Cc) to spaces, format characters
    (Cf: bidi marks, zero width) to nothing. Filled as characters come, for there are a million.
    """

    def __missing__(self, code: int) -> int | str:
        kind = unicodedata.category(chr(code))
        self[code] = {"Cf": "", "Cc": " "}.get(kind, code)
        return self[code]


_SHAPES: Final = _Shapes(
    {
        **dict.fromkeys(map(ord, _HYPHENS), "-"),
        **dict.fromkeys(map(ord, _SINGLE_QUOTES), "'"),
        **dict.fromkeys(map(ord, _DOUBLE_QUOTES), '"'),
    }
)
_LIST_MARKS: Final = dict.fromkeys(map(ord, ",;"), " ")


def _compact(text: str, marks: str) -> str:
    """Upper case without spaces and `marks`. They go while accents stand apart: what is left may compose anew."""
    if text.isascii() and text.removeprefix("+").isalnum():  # nothing to leave out, and nothing to compose
        return text.upper()
    apart = _normalised("NFKD", _normalised("NFKD", text).upper()).translate(_SHAPES)
    for mark in marks:
        apart = apart.replace(mark, "")
    return _normalised("NFKC", "".join(apart.split()))


def _normalised(form: Literal["NFKC", "NFKD"], text: str) -> str:
    return text if text.isascii() else unicodedata.normalize(form, text)
