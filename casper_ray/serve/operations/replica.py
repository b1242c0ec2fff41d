"""What each replica of Ray Serve does for its operator: logs and spans from its start, its numbers when asked."""

from __future__ import annotations

from casper_ray.serve.operations.logs import set_up_logs
from casper_ray.serve.operations.metrics import Snapshot, snapshot
from casper_ray.serve.operations.spans import SPANS
from casper_ray.serve.settings import ServeSettings


class Operated:
    """One replica. part: door, proposer:AGENT, keeper:CATALOG. Raises: ConfigError, see `Spans.start`."""

    def __init__(self, settings: ServeSettings, part: str) -> None:
        from ray import serve

        self._part, self._replica = part, serve.get_replica_context().replica_id.unique_id
        set_up_logs(settings.logs, part)
        SPANS.start(settings.spans, part)

    def numbers(self) -> Snapshot:
        """What this process counted."""
        return snapshot(self._part, self._replica)
