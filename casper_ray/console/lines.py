"""A line on a stream of any encoding."""

from __future__ import annotations

from typing import TextIO


def write_line(stream: TextIO, text: str) -> None:
    """Write the line now; characters that the stream's encoding lacks are escaped rather than refused."""
    encoding = getattr(stream, "encoding", None) or "utf-8"
    stream.write(text.encode(encoding, "backslashreplace").decode(encoding) + "\n")
    stream.flush()
