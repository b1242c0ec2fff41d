"""Accounts: where a batch's rows went, table by table, and that none is missing."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple, Self

from casper_ray.errors import CasperError


class Account(NamedTuple):
    """Rows of one table in one batch: rows_in = rows_out + duplicate + late + dropped + quarantined."""

    rows_in: int = 0
    rows_out: int = 0
    duplicate: int = 0
    late: int = 0
    dropped: int = 0
    quarantined: int = 0

    def plus(self, other: Account) -> Self:
        return type(self)(*(a + b for a, b in zip(self, other, strict=True)))

    @property
    def balances(self) -> bool:
        return self.rows_in == sum(self[1:])


class AccountError(CasperError):
    """Rows that went nowhere, or came from nowhere: a bug, and the batch is not committed."""

    def __init__(self, table: str, batch: int, saw: str) -> None:
        super().__init__(table, batch, saw)
        self.table, self.batch, self.saw = table, batch, saw

    def __str__(self) -> str:
        return f"batch {self.batch}, table {self.table}: does not add up ({self.saw}); nothing was committed"


def total(accounts: Iterable[Account]) -> Account:
    """The accounts added up."""
    found = Account()
    for account in accounts:
        found = found.plus(account)
    return found


def check_balance(
    accounts: Mapping[str, Account], written: Mapping[str, int], batch: int, quarantine: str
) -> None:
    """Raises: AccountError where an account does not add up, or says other than what was written.

    written: rows in the data files of each table that is only appended to. quarantine: the table that keeps the rows
    which the accounts say were quarantined.
    """
    refused = total(accounts.values()).quarantined
    kept = Account(rows_in=refused, rows_out=refused)
    for table, account in (*accounts.items(), (quarantine, kept)):
        if not account.balances:
            raise AccountError(table, batch, str(account))
        if table in written and written[table] != account.rows_out:
            raise AccountError(table, batch, f"{account}, but {written[table]} rows in its files")
