"""What each process of Ray Serve imports, imported in little more than half the time; importing this module does it.

Ray is told the module's name: its workers import it as they start, so those that it starts ahead have it by the time
that they are anybody's. A start is mostly seven such imports, on whatever processors there are.
"""

from __future__ import annotations

import gc
import importlib
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType
from typing import Final, cast

_SERVE: Final = "ray.serve._private.controller"
"""Imports what proxies and replicas need too."""


@contextmanager
def _absent(name: str) -> Iterator[None]:
    """A module that cannot be imported for the block's time; nothing where it has been."""
    if name in sys.modules:
        yield
        return
    sys.modules[name] = cast("ModuleType", None)
    try:
        yield
    finally:
        del sys.modules[name]


@contextmanager
def _uncollected() -> Iterator[None]:
    """No search for garbage in what is made within the block, then or later: modules stay."""
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()


# pandas: Ray Serve imports it, if it can, to encode the data frames that an application returns; ours returns none.
with _uncollected(), _absent("pandas"):
    importlib.import_module(_SERVE)
