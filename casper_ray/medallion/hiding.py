"""Personal columns of a block's rows: tokens in their place, and sealed copies for the vault.

Done by the pass, before a table's transform: what a table declares as hidden, its transform cannot see, or leak.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache

import polars as pl
import pyarrow as pa

from casper_ray.medallion.declare import Table
from casper_ray.security.domains import Domain
from casper_ray.security.key_source import KeySource, Pin, RunKeys
from casper_ray.security.keys import Purpose
from casper_ray.security.tokens import Tokeniser
from casper_ray.security.vault import Vault


def hidden(rows: pl.DataFrame, table: Table, keys: KeySource | None) -> pl.DataFrame:
    """The rows as the table's transform may see them. Raises: ConfigError where there are no keys."""
    if keys is None or not (table.tokens or table.seals):
        return rows
    sealed = [
        _vault(keys).sealed(Domain(domain), rows[column]).alias(name)
        for name, (column, domain) in table.seals.items()
    ]
    tokens = [
        _tokeniser(keys).tokens(Domain(domain), rows[column]) for column, domain in table.tokens.items()
    ]
    return rows.with_columns(*sealed, *tokens)


def with_seals(schema: pa.Schema, table: Table) -> pa.Schema:
    """The columns of what is read, and the sealed ones."""
    for name in table.seals:
        schema = schema.append(pa.field(name, pa.string()))
    return schema


def key_versions(keys: RunKeys | None) -> dict[str, int]:
    """The versions that a batch which begins now is hidden under, by purpose."""
    return {} if keys is None else {str(pin.purpose): pin.version for pin in keys.source.pins}


def keys_at(keys: RunKeys | None, versions: Mapping[str, int]) -> KeySource | None:
    """The keys that a batch was begun with, whatever was added since: so that it gives the same tokens again.

    Raises: ConfigError for a version that is gone.
    """
    if keys is None:
        return None
    pins = tuple(
        Pin(Purpose(purpose), version, keys.ring.key(Purpose(purpose), version).check)
        for purpose, version in sorted(versions.items())
    )
    return KeySource(keys.source.file, pins)


@lru_cache(maxsize=4)
def _tokeniser(keys: KeySource) -> Tokeniser:
    """Made once a process: reading the keys takes longer than hiding a column."""
    return Tokeniser(keys.load())


@lru_cache(maxsize=4)
def _vault(keys: KeySource) -> Vault:
    return Vault(keys.load())
