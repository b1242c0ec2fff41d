"""What tests of the protocols share: one kitchen, one door, one LLM that repeats what it is told."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing

import pytest
import ray
from served_kitchen import kitchen_of_orders, listening, services_over

from casper_ray.lakehouse.names import Catalog
from casper_ray.serve.openai_api.testing import ScriptedModel


@pytest.fixture(scope="session")
def orders_lake(tmp_path_factory: pytest.TempPathFactory) -> Catalog:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ray, "is_initialized", lambda: False)  # the pipeline runs here, whoever started Ray
        return kitchen_of_orders(tmp_path_factory.mktemp("orders"))


@pytest.fixture(scope="module")
def llm() -> ScriptedModel:
    """Repeats the last message; calls `weather` where it is among its tools and was not answered yet."""

    def says(body: dict) -> dict:
        last = body["messages"][-1]
        if body.get("tools") and last["role"] != "tool":
            call = {"name": "weather", "arguments": '{"city": "Bern"}'}
            return {"tool_calls": [{"id": "c1", "type": "function", "function": call}]}
        return {"content": f"You said:\n{last['content']}"}

    return ScriptedModel(name="tiny", says=says)


@pytest.fixture(scope="module")
def door(orders_lake: Catalog, llm: ScriptedModel) -> Iterator[str]:
    """Address of a door that serves `refund` and the LLM `tiny`."""
    with closing(services_over(orders_lake, model=llm)) as services, listening(services) as address:
        yield address
