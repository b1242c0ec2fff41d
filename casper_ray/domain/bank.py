"""The bank's events as they stand in the volumes: one line of JSON each."""

from __future__ import annotations

from typing import Final

BASE_CURRENCY: Final = "EUR"
HOME_COUNTRY: Final = "QZ"

CARD: Final = "card"
ATM: Final = "atm"
WIRE: Final = "wire"
CUSTOMER_CDC: Final = "customer_cdc"
FEEDS: Final = (CARD, ATM, WIRE, CUSTOMER_CDC)

INITIATED: Final = "transaction_initiated"
PROCESSING: Final = "transaction_processing"
COMPLIANCE_PASSED: Final = "compliance_check_passed"
COMPLIANCE_FAILED: Final = "compliance_check_failed"
SETTLED: Final = "transaction_settled"
STATUS_UPDATE: Final = "status_update"
LIFECYCLE: Final = (
    INITIATED,
    PROCESSING,
    COMPLIANCE_PASSED,
    COMPLIANCE_FAILED,
    SETTLED,
    STATUS_UPDATE,
)

PURCHASE: Final = "purchase"
WITHDRAWAL: Final = "withdrawal"
DEPOSIT: Final = "deposit"
TRANSFER_OUT: Final = "transfer_out"
TRANSFER_IN: Final = "transfer_in"
REVERSAL: Final = "reversal"
REFUND: Final = "refund"
CHARGEBACK: Final = "chargeback"

IN: Final = "in"
OUT: Final = "out"
"""Which way the money goes, from the customer's account's side."""

AUTH_RESULTS: Final = (
    "approved",
    "declined_blocked",
    "declined_limit",
    "declined_funds",
    "declined_compliance",
)
POSTED: Final = "posted"
REVERSED: Final = "reversed"
DECLINED: Final = "declined"

_TRANSACTION: Final = (
    "event_id",
    "event_type",
    "ts",
    "transaction_id",
    "transaction_type",
    "original_transaction_id",
)

CARD_COLUMNS: Final = (
    *_TRANSACTION,
    "initiated_ts",
    "account_number",
    "pan",
    "card_type",
    "channel",
    "merchant_id",
    "mcc",
    "country",
    "amount",
    "currency",
    "device_id",
    "branch_id",
    "lat",
    "lon",
    "auth_result",
    "status",
    "settlement_date",
)
"""Fields of a card event, in the order in which they are written.

event_id                 string  17 characters; a processor's duplicate carries the same one again
event_type               string  one of LIFECYCLE
ts                       string  YYYY-MM-DD HH:MM:SS.mmm, UTC
transaction_id           string  17 characters
transaction_type         string  purchase, reversal, refund or chargeback
original_transaction_id  string  of a reversal, refund or chargeback: what it undoes; else null
initiated_ts             string  as `ts`: when the transaction was initiated, the same in all of its events
account_number           string  IBAN of the account that is charged
pan                      string  16 digits
card_type                string  debit or credit
channel                  string  pos, contactless or online
merchant_id, mcc         string
country                  string  of the merchant
amount                   string  decimal, in `currency`, above 0 whichever way the money goes
device_id                string  of a purchase at a distance; else null
branch_id                string  that keeps the account
lat, lon                 double  of the terminal, or of the device
auth_result              string  one of AUTH_RESULTS; null until compliance has spoken
status                   string  of a status_update: posted, reversed or declined; else null
settlement_date          string  YYYY-MM-DD, of settled and later events; else null
"""

ATM_COLUMNS: Final = (
    *_TRANSACTION,
    "initiated_ts",
    "account_number",
    "pan",
    "atm_id",
    "branch_id",
    "country",
    "amount",
    "currency",
    "lat",
    "lon",
    "auth_result",
    "status",
    "settlement_date",
)
"""Fields of an ATM event; as of a card's. transaction_type: withdrawal or deposit. country: of the ATM."""

WIRE_COLUMNS: Final = (
    *_TRANSACTION,
    "direction",
    "entered_ts",
    "payer_name",
    "payer_account",
    "payer_bank",
    "payee_name",
    "payee_account",
    "payee_bank",
    "purpose",
    "amount",
    "currency",
    "device_id",
    "branch_id",
    "auth_result",
    "value_date",
)
"""Fields of a line of the day's wire file. Every line of a day carries the instant of that day's cut-off.

event_type               transaction_settled, or compliance_check_failed of one that was refused
transaction_type         transfer_out (also between two accounts of the bank) or transfer_in
direction                outgoing, incoming or internal
entered_ts               when it was keyed in; of an incoming one, when it arrived
payer_*, payee_*         name, IBAN, bank id
purpose                  free text
value_date               YYYY-MM-DD: of an outgoing one the same day, else the next day
"""

CDC_COLUMNS: Final = ("event_id", "op", "ts", "customer_id", "lsn", "before", "after")
"""Fields of a change of a customer.

op             insert, update or delete
lsn            int; rises by one from 1 within a customer
before, after  the customer's row before and after: CUSTOMER_FIELDS; null where there is none
"""

CUSTOMER_FIELDS: Final = (
    "customer_id",
    "account_number",
    "credit_account",
    "given_name",
    "family_name",
    "birth_date",
    "street",
    "city",
    "country",
    "phone",
    "income_band",
    "segment",
    "branch_id",
    "device_id",
    "devices",
    "limit_card",
    "limit_atm",
    "limit_wire",
    "overdraft",
    "credit_limit",
)
"""A customer's row in a change. Limits are decimal strings, a day's sum in the base currency."""

COLUMNS: Final = {CARD: CARD_COLUMNS, ATM: ATM_COLUMNS, WIRE: WIRE_COLUMNS, CUSTOMER_CDC: CDC_COLUMNS}
