"""The key that a local start shows once, as notebooks do."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final

from casper_ray.serve.access.api_keys import MadeKey
from casper_ray.serve.access.key_store import KeyStore, live_admins
from casper_ray.serve.access.principal import Role

NAME: Final = "first key of a local start"
_LIVES_S: Final = 24 * 3_600.0


def first_admin_key(store: KeyStore) -> MadeKey | None:
    """An admin's key for 24 hours; None where an admin has a key of their own. Retry: makes another one.

    Rules: every start makes one anew, and those of earlier starts go: what a screen showed then opens nothing. Once
    there is an admin's key of somebody's own, none is shown any more.
    Raises: ConfigError where the file of keys cannot be used.
    """
    records = store.records()
    if any(key.name != NAME for key in live_admins(records, datetime.now(UTC))):
        return None
    earlier = [key.id for key in records if key.name == NAME]
    return store.add(NAME, Role.ADMIN, expires_s=_LIVES_S, instead_of=earlier)
