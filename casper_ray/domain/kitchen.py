"""The kitchen's events as they stand in the volume: one line of JSON each."""

from __future__ import annotations

from typing import Final

EVENTS: Final = "events"
"""The only feed: all of them go into one volume."""

ORDER_CREATED: Final = "order_created"
KITCHEN_STARTED: Final = "gk_started"
KITCHEN_FINISHED: Final = "gk_finished"
KITCHEN_READY: Final = "gk_ready"
DRIVER_ARRIVED: Final = "driver_arrived"
DRIVER_PICKED_UP: Final = "driver_picked_up"
DRIVER_PING: Final = "driver_ping"
DELIVERED: Final = "delivered"

EVENT_TYPES: Final = (
    ORDER_CREATED,
    KITCHEN_STARTED,
    KITCHEN_FINISHED,
    KITCHEN_READY,
    DRIVER_ARRIVED,
    DRIVER_PICKED_UP,
    DRIVER_PING,
    DELIVERED,
)

EVENT_COLUMNS: Final = ("event_id", "event_type", "ts", "location_id", "order_id", "sequence", "body")
"""Fields of an event line, in the order in which they are written.

event_id    string  UUID
event_type  string  one of EVENT_TYPES
ts          string  YYYY-MM-DD HH:MM:SS.mmm, UTC
location_id int
order_id    string  6 characters A-Z0-9; from the second loop on with a suffix -L1, -L2, ...
sequence    int     from 0 within the order, in order of ts
body        string  JSON; its fields depend on event_type
"""
