"""The rules that batches were judged by, kept under the digest of what they say."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

from casper_ray import durable
from casper_ray.errors import LakeError
from casper_ray.medallion.quality import Quality


class RuleBook:
    """A folder of rules; what is in it never changes."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def keep(self, quality: Quality) -> str:
        """The name under which these rules are kept; durable when this returns."""
        text = json.dumps(quality.as_json(), sort_keys=True)
        name = hashlib.sha256(text.encode()).hexdigest()[:16]
        path = self._path(name)
        if not path.exists():
            durable.write_json(path, quality.as_json())
        return name

    def rules(self, name: str) -> Quality:
        """The rules of that name. Raises: LakeError."""
        try:
            value = durable.read_json(self._path(name))
            if value is not None:
                return Quality.from_json(value)
        except (ValueError, KeyError, TypeError) as error:
            raise LakeError(
                f"{self._path(name)}: cannot be read ({error})", "restore it from a copy"
            ) from error
        raise LakeError(f"{self._path(name)}: is not there", "restore it from a copy")

    def _path(self, name: str) -> Path:
        return self._folder / f"{name}.json"
