"""An LLM that fails in the middle of a stream: its status is sent, so the stream says it."""

from __future__ import annotations

from contextlib import closing

import openai
import pytest
from openai import OpenAI
from served_kitchen import listening, services_over

from casper_ray.lakehouse.names import Catalog
from casper_ray.serve.door.errors import DoorError
from casper_ray.serve.openai_api.testing import ScriptedModel


def test_openais_client_raises_what_the_stream_says(orders_lake: Catalog) -> None:
    llm = ScriptedModel(name="tiny", says=lambda body: {"content": "one\ntwo"}, cut=True)
    with closing(services_over(orders_lake, model=llm)) as services, listening(services) as door:
        with OpenAI(base_url=f"{door}/v1", api_key="key-of-operator", max_retries=0) as client:
            chat = client.chat.completions.create(
                model="tiny", messages=[{"role": "user", "content": "hello"}], stream=True
            )
            with pytest.raises(openai.APIError, match="scripted"):
                list(chat)
            with pytest.raises(openai.APIError, match="scripted"):
                list(client.responses.create(model="tiny", input="hello", stream=True))


def test_an_llm_that_is_not_there_is_a_status(orders_lake: Catalog) -> None:
    def gone(body: object) -> dict[str, str]:
        raise DoorError(503, "the model's engine failed", "later", {"Retry-After": "30"})

    llm = ScriptedModel(name="tiny", says=gone)
    with closing(services_over(orders_lake, model=llm)) as services, listening(services) as door:
        with OpenAI(base_url=f"{door}/v1", api_key="key-of-operator", max_retries=0) as client:
            for stream in (True, False):
                with pytest.raises(openai.InternalServerError) as failed:
                    client.responses.create(model="tiny", input="hello", stream=stream)
                assert failed.value.status_code == 503
                assert failed.value.response.headers["retry-after"] == "30"
