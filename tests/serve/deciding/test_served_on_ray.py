"""The application on Ray Serve: what a replica's death does to requests that are under way."""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import Iterator
from dataclasses import dataclass, field

import httpx2
import pytest
from growing_lake import GrowingLake

from casper_ray.serve.access.key_file import keys_path
from casper_ray.serve.access.key_store import KeyStore
from casper_ray.serve.access.principal import Role
from casper_ray.serve.settings import ServeSettings

pytestmark = pytest.mark.ray

AT_ONCE = 8
RETRIES = 60


@dataclass
class Door:
    """A client's side. answers: 200s, by subject; errors: what else came, and what broke."""

    url: str
    key: str
    answers: dict[str, str] = field(default_factory=dict)
    errors: list[int] = field(default_factory=list)

    async def decide(self, client: httpx2.AsyncClient, subject: str) -> None:
        """Ask until there is a 200, as an application would."""
        for _ in range(RETRIES):
            try:
                said = await client.post("/v1/agents/refund/decisions", json={"subject": subject})
            except httpx2.HTTPError:
                self.errors.append(0)
            else:
                if said.status_code == 200:
                    self.answers[subject] = said.text
                    return
                self.errors.append(said.status_code)
            await asyncio.sleep(0.25)
        raise AssertionError(f"{subject}: no decision; {self.errors[-5:]}")

    async def decide_all(self, subjects: list[str]) -> None:
        waiting = iter(subjects)

        async def work() -> None:
            for subject in waiting:
                await self.decide(client, subject)

        async with self.client() as client, asyncio.TaskGroup() as workers:
            for _ in range(AT_ONCE):
                workers.create_task(work())

    def client(self) -> httpx2.AsyncClient:
        headers = {"Authorization": f"Bearer {self.key}"}
        return httpx2.AsyncClient(base_url=self.url, headers=headers, timeout=60)


@dataclass(frozen=True)
class Application:
    lake: GrowingLake
    url: str
    key: str

    def door(self) -> Door:
        return Door(self.url, self.key)

    def undecided(self, count: int) -> list[str]:
        """Orders that were asked for by no test yet."""
        log = self.lake.catalog.table("agents", "decisions") / "_delta_log"
        decided = set(self.lake.decisions()["pays_for"]) if log.is_dir() else set()
        return [order for order in self.lake.delivered() if order not in decided][:count]


@pytest.fixture(scope="module")
def application(
    served_lake: GrowingLake, tmp_path_factory: pytest.TempPathFactory, local_ray: None
) -> Iterator[Application]:
    from ray import serve

    from casper_ray.serve.application import build

    lake = served_lake.copy(tmp_path_factory.mktemp("on-ray") / "lake")
    args = {
        "lake": str(lake.catalog.lake),
        "agents": {"refund": {"replicas": [1, 1], "cpus": 0.1}},
        "door": {"replicas": [1, 1], "cpus": 0.1},
    }
    key = KeyStore(keys_path(ServeSettings.model_validate(args))).add("test", Role.ADMIN).text
    port = free_port()
    serve.start(http_options={"host": "127.0.0.1", "port": port})
    serve.run(build(args), name="casper", route_prefix="/")
    yield Application(lake, f"http://127.0.0.1:{port}", key)
    serve.shutdown()


def free_port() -> int:
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        return int(listening.getsockname()[1])


def kill_replica(deployment: str) -> None:
    """The actor of a deployment's replica, as by a crash of its process."""
    import ray

    names = [
        each["name"]
        for each in ray.util.list_named_actors(all_namespaces=True)
        if each["namespace"] == "serve" and f"#{deployment}#" in each["name"]
    ]
    assert len(names) == 1, names
    ray.kill(ray.get_actor(names[0], namespace="serve"))


def test_an_order_is_decided_over_http(application: Application) -> None:
    door, subjects = application.door(), application.undecided(3)

    async def ask() -> None:
        async with door.client() as client:
            ready = await client.get("/readyz")
            assert ready.json() == {
                "ready": True,
                "parts": {"proposer:refund": True, "keeper:caspers": True},
            }
            first = await client.post("/v1/agents/refund/decisions", json={"subject": subjects[0]})
            again = await client.post("/v1/agents/refund/decisions", json={"subject": subjects[0]})
            assert (first.status_code, again.status_code) == (200, 200)
            assert "Idempotent-Replayed" not in first.headers
            assert again.headers["Idempotent-Replayed"] == "true"
            assert again.text == first.text
            found = await client.get(f"/v1/decisions/{first.json()['decision_id']}")
            assert found.json() == first.json()

    asyncio.run(ask())


@pytest.mark.parametrize("deployment", ["Keeper-caspers", "Proposer-refund", "Door"])
def test_a_replica_that_dies_under_load_loses_nothing_and_doubles_nothing(
    application: Application, deployment: str
) -> None:
    door, subjects = application.door(), application.undecided(60)
    assert len(subjects) == 60

    async def ask_and_kill() -> None:
        asked = asyncio.create_task(door.decide_all(subjects))
        while len(door.answers) < 15:
            await asyncio.sleep(0.02)
        await asyncio.to_thread(kill_replica, deployment)
        await asked

    asyncio.run(ask_and_kill())
    rows = application.lake.decisions()
    assert rows["case_id"].is_unique().all()
    assert rows["decision_id"].is_unique().all()
    kept = {row["pays_for"]: row for row in rows.iter_rows(named=True)}
    assert set(door.answers) == set(subjects)
    for subject, text in door.answers.items():
        assert json.loads(text)["decision_id"] == kept[subject]["decision_id"]
    if deployment != "Door":
        assert door.errors == []  # the door repeats the call; only its own death is seen by a client
