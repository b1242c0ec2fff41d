"""Letters that no decomposition makes Latin: Latin ones with a stroke or joined, Cyrillic, Greek."""

from __future__ import annotations

from typing import Final

_JOINED = {
    "\u00e6": "ae", "\u0153": "oe", "\u00f8": "o", "\u00df": "ss", "\u0142": "l", "\u0111": "d", "\u00f0": "d",
    "\u00fe": "th", "\u0131": "i", "\u0127": "h", "\u014b": "n", "\u0167": "t",
}  # fmt: skip
_CYRILLIC = (
    "a", "b", "v", "g", "d", "e", "zh", "z", "i", "i", "k", "l", "m", "n", "o", "p", "r", "s", "t", "u", "f", "kh",
    "ts", "ch", "sh", "shch", "", "y", "", "e", "iu", "ia",
)  # fmt: skip
"""From U+0430 on."""
_MORE_CYRILLIC = {
    "\u0451": "e", "\u0454": "ie", "\u0456": "i", "\u0457": "i", "\u0458": "j", "\u0459": "lj", "\u045a": "nj",
    "\u0452": "dj", "\u045b": "c", "\u045f": "dz", "\u0491": "g", "\u045e": "u",
}  # fmt: skip
_GREEK = (
    "a", "v", "g", "d", "e", "z", "i", "th", "i", "k", "l", "m", "n", "x", "o", "p", "r", "s", "s", "t", "y", "f",
    "ch", "ps", "o",
)  # fmt: skip
"""From U+03B1 on."""

LATIN: Final[dict[str, str]] = {
    **_JOINED,
    **_MORE_CYRILLIC,
    **{chr(code): letters for code, letters in enumerate(_CYRILLIC, 0x430)},
    **{chr(code): letters for code, letters in enumerate(_GREEK, 0x3B1)},
}
"""Lower-case letter to Latin letters, as passports write them (ICAO 9303 for Cyrillic; ELOT 743 for Greek)."""
