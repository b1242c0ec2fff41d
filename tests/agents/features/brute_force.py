"""Every feature again, in plain Python, a case at a time, over all of Silver."""

from __future__ import annotations

import math
from datetime import timedelta
from decimal import Decimal
from statistics import median
from typing import Any

Row = dict[str, Any]
_HOURS = {"1h": 1, "24h": 24, "7d": 168}


def both_sides(silver: list[Row]) -> list[Row]:
    return silver + [
        {
            **r,
            "account_token": r["counterparty_token"],
            "counterparty_token": r["account_token"],
            "direction": "in",
        }
        for r in silver
        if r["internal"] and r["status"] == "posted"
    ]


def expected(case: Row, sides: list[Row]) -> dict[str, Any]:
    """The features of a case. own_p*: the exact amounts, of which the histogram's are near."""
    at, when = case["at"], min(case["txn_ts"] or case["at"], case["at"])
    known = [r for r in sides if r["_known_ts"] <= at and r["transaction_id"] != case["transaction_id"]]
    mine = [r for r in known if r["account_token"] == case["account_token"]]
    posted = [r for r in mine if r["status"] == "posted"]
    sent = [r for r in posted if r["direction"] == "out"]
    found: dict[str, Any] = {"case_id": case["case_id"], **_usual(case, when, sides)}
    for way in ("out", "in"):
        for name, hours in _HOURS.items():
            some = [r for r in posted if r["direction"] == way and _since(r, when, hours)]
            found[f"{way}_count_{name}"] = len(some)
            found[f"{way}_amount_{name}"] = sum((r["amount_base"] for r in some), Decimal(0))
    found["declined_24h"] = sum(r["status"] == "declined" and _since(r, when, 24) for r in mine)
    for name, column in (
        ("device", "device_token"),
        ("payee", "counterparty_token"),
        ("merchant", "merchant_id"),
    ):
        other = case[column]
        found[f"new_{name}"] = None if other is None else all(r[column] != other for r in sent)
    return {**found, **_places(case, when, sent), "counterparty_degree": _degree(case, known)}


def _usual(case: Row, when: Any, sides: list[Row]) -> dict[str, Any]:
    days_before = [
        r
        for r in sides
        if r["account_token"] == case["account_token"]
        and r["status"] == "posted"
        and r["direction"] == "out"
        and r["_known_ts"].date() < when.date()
    ]
    amounts = sorted(r["amount_base"] for r in days_before)
    night = [r for r in days_before if r["txn_ts"].hour >= 22 or r["txn_ts"].hour < 4]
    return {
        "own_transactions": len(amounts),
        "night_share": len(night) / len(amounts) if amounts else None,
        "amounts": amounts,
    }


def _since(row: Row, when: Any, hours: int) -> bool:
    return bool(when - timedelta(hours=hours) < row["txn_ts"] <= when)


def _degree(case: Row, known: list[Row]) -> int | None:
    posted = [r for r in known if r["status"] == "posted"]
    if case["counterparty_token"] is not None:
        return len(
            {r["account_token"] for r in posted if r["counterparty_token"] == case["counterparty_token"]}
        )
    if case["merchant_id"] is None:
        return None
    bought = [r for r in posted if r["direction"] == "out" and r["merchant_id"] == case["merchant_id"]]
    return len({r["account_token"] for r in bought})


def _places(case: Row, when: Any, sent: list[Row]) -> dict[str, float | None]:
    placed = [r for r in sent if r["lat"] is not None and _since(r, when, 30 * 24)]
    if not placed:
        return dict.fromkeys(("km_from_last", "h_from_last", "km_from_home"))
    last = max(placed, key=lambda r: (r["txn_ts"], r["_known_ts"]))
    home = (median(r["lat"] for r in placed), median(r["lon"] for r in placed))
    return {
        "km_from_last": _km(case, last["lat"], last["lon"]),
        "h_from_last": (when - last["txn_ts"]).total_seconds() / 3600,
        "km_from_home": _km(case, *home),
    }


def _km(case: Row, lat: float, lon: float) -> float | None:
    """Spherical law of cosines."""
    if case["lat"] is None:
        return None
    a, b, turn = math.radians(case["lat"]), math.radians(lat), math.radians(lon - case["lon"])
    cosine = math.sin(a) * math.sin(b) + math.cos(a) * math.cos(b) * math.cos(turn)
    return 6371.0088 * math.acos(min(1.0, cosine))
