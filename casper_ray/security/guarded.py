"""Objects that hold secrets and never show them."""

from __future__ import annotations

from typing import NoReturn, SupportsIndex


class Guarded:
    """Says nothing of what it holds, and is not pickled or copied.

    A worker that needs keys is handed a `KeySource` and loads them itself. Rules: subclasses have slots, so that
    `vars` finds nothing either.
    """

    __slots__ = ()

    def __repr__(self) -> str:
        return f"<{type(self).__name__}>"

    def __reduce_ex__(self, protocol: SupportsIndex) -> NoReturn:
        raise TypeError(f"{type(self).__name__} holds keys and is not pickled: hand over a KeySource")
