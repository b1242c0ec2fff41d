"""Prompts: versioned text files, and how what customers wrote is put into them: as data, delimited."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from casper_ray.errors import ConfigError

_FOLDER = Path(__file__).parent / "prompts"
_MOST_TEXT_CHARS = 8_000


@dataclass(frozen=True, slots=True)
class Prompt:
    """One version of an agent's prompt. name: `AGENT.vN`, the file's."""

    name: str
    text: str

    @property
    def digest(self) -> str:
        return hashlib.sha256(self.text.encode()).hexdigest()[:12]


@cache
def load_prompt(name: str) -> Prompt:
    """The prompt of a name. Raises: ConfigError."""
    path = _FOLDER / f"{name}.txt"
    if path.parent != _FOLDER or not path.is_file():
        known = sorted(file.stem for file in _FOLDER.glob("*.txt"))
        raise ConfigError(f"prompt {name!r}: not found", f"there are {known}")
    return Prompt(name, path.read_text(encoding="utf-8").strip())


def as_data(text: str, case_id: str) -> str:
    """What somebody wrote, between marks that they cannot have written: the mark is a digest of text and case.

    Cut at 8,000 characters; what is no printable text goes, and any space but line ends and tabs is a plain one.
    """
    kept = "".join(map(_plain, text[:_MOST_TEXT_CHARS]))
    mark = hashlib.sha256(f"{case_id}\0{text}".encode("utf-8", "surrogatepass")).hexdigest()[:16]
    return f"<customer_text id={mark}>\n{kept}\n</customer_text id={mark}>"


def _plain(char: str) -> str:
    if char.isprintable() or char in "\n\t":
        return char
    return " " if char.isspace() else ""
