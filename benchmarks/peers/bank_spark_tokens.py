"""The bank's tokens with Spark's own functions."""

from __future__ import annotations

import json
from pathlib import Path

from pyspark.sql import Column
from pyspark.sql import functions as fn

_QUOTES = {
    "'": "\u2018\u2019\u201a\u201b\u2032\u02bc\u02b9\u00b4`\uff07",
    '"': "\u201c\u201d\u201e\u201f\u00ab\u00bb",
}
_HYPHENS = "\u2010\u2011\u2012\u2013\u2014\u2015\u2212\ufe58\ufe63\uff0d"
_ODD = "".join([*_QUOTES.values(), _HYPHENS])
_PLAIN = "".join([*(plain * len(odd) for plain, odd in _QUOTES.items()), "-" * len(_HYPHENS)])


class Tokens:
    """Tokens as columns: HMAC-SHA256 from two sha2, its first 16 bytes in hexadecimal digits."""

    def __init__(self, volume: Path) -> None:
        keys = json.loads((volume / "keys.json").read_text())
        self._key = bytes.fromhex(keys["token"]["1"]).ljust(64, b"\0")
        self._seal = keys["vault"]["1"]

    def token(self, domain: str, form: Column) -> Column:
        inner, outer = (fn.lit(bytes(byte ^ pad for byte in self._key)) for pad in (0x36, 0x5C))
        message = fn.concat(inner, fn.lit(f"casper token {domain}\0".encode()), fn.encode(form, "utf-8"))
        digest = fn.sha2(fn.concat(outer, fn.unhex(fn.sha2(message, 256))), 256)
        return fn.concat(fn.lit(f"{domain}_v1_"), fn.substring(digest, 1, 32))

    def sealed(self, domain: str, text: Column) -> Column:
        """Encrypted so that it can be read again. Spark has AES-GCM, no AES-SIV."""
        data = fn.aes_encrypt(text, fn.unhex(fn.lit(self._seal[:64])), fn.lit("GCM"))
        return fn.concat(fn.lit(f"sealed_{domain}_v1_"), fn.base64(data))

    def account(self, text: Column) -> Column:
        return self.token("acc", fn.translate(fn.upper(text), " -", ""))

    def card(self, text: Column) -> Column:
        return self.token("crd", fn.translate(fn.upper(text), " -", ""))

    def name(self, text: Column) -> Column:
        return self.token("nam", _name_form(text))

    def address(self, text: Column) -> Column:
        return self.token("adr", fn.trim(fn.regexp_replace(_name_form(text), "[,;\\s]+", " ")))

    def phone(self, text: Column) -> Column:
        return self.token("tel", fn.regexp_replace(fn.translate(text, " -()./", ""), "^00", "+"))

    def opaque(self, domain: str, text: Column) -> Column:
        return self.token(domain, fn.trim(text))


def _name_form(text: Column) -> Column:
    plain = fn.translate(fn.regexp_replace(text, "\\p{Cf}", ""), _ODD, _PLAIN)
    return fn.trim(fn.regexp_replace(fn.lower(plain), "\\s+", " "))
