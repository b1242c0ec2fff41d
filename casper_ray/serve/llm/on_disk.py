"""A model that lies on disk: nothing is to be fetched for a replica. Imported only where vLLM is."""

from __future__ import annotations

from ray.llm._internal.common.callbacks.base import CallbackBase


class OnDisk(CallbackBase):
    """Leaves out `ray.serve.llm`'s task that fetches a model to the node: it costs a start of vLLM's libraries."""

    async def on_before_node_init(self) -> None:
        self.ctx.run_init_node = False
