"""An LLM that fails in the middle of a stream: its status is sent, so the stream says it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager

import openai
import pytest
from openai import OpenAI
from served_kitchen import listening, services_over

from casper_ray.lakehouse.names import Catalog
from casper_ray.serve.door.errors import DoorError
from casper_ray.serve.openai_api.testing import ScriptedModel


@contextmanager
def client_of(catalog: Catalog, llm: ScriptedModel) -> Iterator[OpenAI]:
    with (
        closing(services_over(catalog, model=llm)) as services,
        listening(services) as door,
        OpenAI(base_url=f"{door}/v1", api_key="key-of-operator", max_retries=0) as client,
    ):
        yield client


def test_openais_client_raises_what_the_stream_says(orders_lake: Catalog) -> None:
    llm = ScriptedModel(name="tiny", says=lambda body: {"content": "one\ntwo"}, cut=True)
    with client_of(orders_lake, llm) as client:
        chat = client.chat.completions.create(
            model="tiny", messages=[{"role": "user", "content": "hello"}], stream=True
        )
        with pytest.raises(openai.APIError, match="scripted"):
            list(chat)
        response = client.responses.create(model="tiny", input="hello", stream=True)
        with pytest.raises(openai.APIError, match="scripted"):
            list(response)


@pytest.mark.parametrize("stream", [True, False])
def test_an_llm_that_is_not_there_is_a_status(orders_lake: Catalog, stream: bool) -> None:
    def gone(body: object) -> dict[str, str]:
        raise DoorError(503, "the model's engine failed", "later", {"Retry-After": "30"})

    with (
        client_of(orders_lake, ScriptedModel(name="tiny", says=gone)) as client,
        pytest.raises(openai.InternalServerError) as failed,
    ):
        client.responses.create(model="tiny", input="hello", stream=stream)
    assert failed.value.status_code == 503
    assert failed.value.response.headers["retry-after"] == "30"
