"""Complaints as they stand in the volume: one line of JSON each."""

from __future__ import annotations

from typing import Final

COMPLAINTS: Final = "complaints"
"""The feed, and its volume."""

COMPLAINT_COLUMNS: Final = ("complaint_id", "ts", "order_id", "sender", "language", "text")
"""Fields of a complaint's line, in the order in which they are written.

complaint_id string  of its own
ts           string  YYYY-MM-DD HH:MM:SS.mmm, UTC
order_id     string  what the form was linked to; null where the customer came without an order
sender       string  the delivery address, as the app knows it: who writes
language     string  of the app
text         string  what the customer wrote
"""
