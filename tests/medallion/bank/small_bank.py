"""A bank's lake of a few hand-made lines, run in this process."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl

from casper_ray.domain.bank import ATM_COLUMNS, CARD_COLUMNS, CUSTOMER_FIELDS, WIRE_COLUMNS
from casper_ray.lakehouse.names import Catalog, open_catalog
from casper_ray.lakehouse.read import scan
from casper_ray.medallion.batch_report import BatchReport
from casper_ray.medallion.runner import Runner
from casper_ray.security.key_source import load_keys
from casper_ray.security.tokens import Tokeniser
from casper_ray.security.vault import Vault

REFERENCE = "casper_ray.medallion.bank.pipeline:PIPELINE"
DAY = datetime(2024, 1, 10, tzinfo=UTC)
IBAN, OTHER_IBAN = "QZ12CSPR000000000001", "QM55HAVU000000000002"
PAN = "9899990000000017"
NAME, OTHER_NAME = "Dormira Quarinov", 'Zo\u00ebra "Z" \u200fO\u2019Korval\u200e'


def ts(hours: float) -> str:
    """An instant as events have it, in hours from the tenth of January."""
    return f"{DAY + timedelta(hours=hours):%Y-%m-%d %H:%M:%S}.000"


def _line(columns: tuple[str, ...], fields: dict[str, Any]) -> bytes:
    unknown = fields.keys() - set(columns)
    assert not unknown, unknown
    return json.dumps({name: fields.get(name) for name in columns}, ensure_ascii=False).encode() + b"\n"


def _transaction(number: int | str, hours: float, amount: str) -> dict[str, Any]:
    return {
        "event_id": f"E{number}",
        "event_type": "transaction_settled",
        "ts": ts(hours),
        "transaction_id": f"T{number}",
        "amount": amount,
        "currency": "EUR",
        "branch_id": "B000",
        "auth_result": "approved",
    }


def card(number: int | str, hours: float = 12, amount: str = "20.00", **fields: Any) -> bytes:
    """A purchase that was settled; fields: what is to be otherwise."""
    usual = {
        **_transaction(number, hours, amount),
        "transaction_type": "purchase",
        "account_number": IBAN,
        "pan": PAN,
        "card_type": "debit",
        "channel": "pos",
        "merchant_id": "M0000001",
        "mcc": "5411",
        "country": "QZ",
        "lat": 47.123456,
        "lon": 3.987654,
        "settlement_date": "2024-01-11",
    }
    return _line(CARD_COLUMNS, usual | fields)


def atm(number: int | str, hours: float = 12, amount: str = "50.00", **fields: Any) -> bytes:
    """A withdrawal that was settled."""
    usual = {
        **_transaction(number, hours, amount),
        "transaction_type": "withdrawal",
        "account_number": IBAN,
        "pan": PAN,
        "atm_id": "A000001",
        "country": "QZ",
        "lat": 47.5,
        "lon": 3.5,
        "settlement_date": "2024-01-10",
    }
    return _line(ATM_COLUMNS, usual | fields)


def wire(number: int | str, hours: float = 18, amount: str = "100.00", **fields: Any) -> bytes:
    """A transfer to another bank, keyed in four hours before the cut-off."""
    usual = {
        **_transaction(number, hours, amount),
        "transaction_type": "transfer_out",
        "direction": "outgoing",
        "entered_ts": ts(hours - 4),
        "payer_name": NAME,
        "payer_account": IBAN,
        "payer_bank": "CSPR",
        "payee_name": OTHER_NAME,
        "payee_account": OTHER_IBAN,
        "payee_bank": "HAVU",
        "purpose": "Thanks!",
        "value_date": "2024-01-10",
    }
    return _line(WIRE_COLUMNS, usual | fields)


def customer(number: int = 1, **fields: Any) -> dict[str, Any]:
    """A customer's row."""
    usual = {
        "customer_id": f"C{number:09d}",
        "account_number": IBAN,
        "given_name": "Dormira",
        "family_name": "Quarinov",
        "birth_date": "1984-02-29",
        "street": "17 Elder Tower Lane",
        "city": "Altenquay",
        "country": "QZ",
        "phone": "+999 123456789",
        "income_band": "middle",
        "segment": "standard",
        "branch_id": "B000",
        "device_id": "D0123456789ABCDEF",
        "devices": 1,
        "limit_card": "2500.00",
        "limit_atm": "500.00",
        "limit_wire": "10000.00",
        "overdraft": "500.00",
        "credit_limit": "0.00",
    }
    return {name: (usual | fields).get(name) for name in CUSTOMER_FIELDS}


def change(
    lsn: int,
    hours: float,
    after: dict[str, Any] | None,
    before: dict[str, Any] | None = None,
    *,
    number: int = 1,
    event: str | None = None,
) -> bytes:
    """A change of a customer: an insert without `before`, a delete without `after`, else an update."""
    op = "delete" if after is None else "insert" if before is None else "update"
    line = {
        "event_id": event or f"K{number}-{lsn}",
        "op": op,
        "ts": ts(hours),
        "customer_id": f"C{number:09d}",
        "lsn": lsn,
        "before": before,
        "after": after,
    }
    return json.dumps(line, ensure_ascii=False).encode() + b"\n"


RATES = pl.DataFrame(
    {
        "currency": ["USD", "USD", "SEK"],
        "valid_from": [DAY - timedelta(days=9), DAY + timedelta(hours=12), DAY - timedelta(days=9)],
        "rate": [Decimal("0.90000000"), Decimal("0.91512345"), Decimal("0.08850000")],
        "source": ["fixing", "fixing", "fixing"],
    },
    schema={
        "currency": pl.String,
        "valid_from": pl.Datetime("us", "UTC"),
        "rate": pl.Decimal(18, 8),
        "source": pl.String,
    },
)
MERCHANTS = pl.DataFrame(
    {
        "merchant_id": ["M0000001", "M0000001", "M0000002"],
        "category": ["grocery", "electronics", "gambling"],
        "risk": [0.05, 0.55, 0.8],
        "valid_from": [DAY - timedelta(days=3650), DAY + timedelta(hours=15), DAY - timedelta(days=3650)],
    },
    schema_overrides={"valid_from": pl.Datetime("us", "UTC")},
)
BRANCHES = pl.DataFrame({"branch_id": ["B000", "B001"], "city": ["Altenquay", "Brackford"]})


@dataclass(frozen=True, slots=True)
class SmallBank:
    """One catalog, and what a person does with it."""

    catalog: Catalog

    @classmethod
    def at(cls, folder: Path, **dimensions: pl.DataFrame) -> SmallBank:
        """A lake with the small dimensions, or those that are given."""
        bank = cls(open_catalog(str(folder), "bank_dev"))
        small = {"exchange_rates": RATES, "merchants": MERCHANTS, "branches": BRANCHES}
        for name, frame in (dimensions or small).items():
            frame.write_delta(str(bank.catalog.table("simulator", name)))
        return bank

    def drop(self, feed: str, name: str, *lines: bytes) -> None:
        folder = self.catalog.volume("simulator", feed)
        folder.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(b"".join(lines))

    def runner(self) -> Runner:
        return Runner(REFERENCE, self.catalog)

    def run(self) -> list[BatchReport]:
        return list(self.runner().run_available())

    def table(self, name: str) -> pl.DataFrame:
        return scan(self.catalog.table("retail_banking", name)).collect()

    def transactions(self) -> dict[str, dict[str, Any]]:
        """Silver's rows by transaction."""
        return {row["transaction_id"]: row for row in self.table("silver_transactions").iter_rows(named=True)}

    def tokeniser(self) -> Tokeniser:
        return Tokeniser(load_keys(self.catalog.state).ring)

    def vault(self) -> Vault:
        return Vault(load_keys(self.catalog.state).ring)
