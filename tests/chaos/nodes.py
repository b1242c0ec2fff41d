"""The same run on three Ray nodes; and one of them killed in the middle of a batch."""

from __future__ import annotations

import json
import random
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import ray
from children import Children, Running, wait_until
from lakes import GOLD_KEYS, MIDNIGHT, Lake
from ray.cluster_utils import Cluster
from story import Outcome, Stage

SIM = (sys.executable, "-m", "casper_ray.sim")
TABLES = ("all_events", "silver_order_items", *GOLD_KEYS)
OF_THE_RUN = ("_ingested_at",)
_STORE_BYTES = 150 << 20


def play(stage: Stage) -> list[Outcome]:
    days = stage.times(short=12, usual=60, full=90)
    alone = Lake(stage.folder / "alone")
    began_s = time.monotonic()
    _finished(Children(ray_address=None), alone, days)
    alone_s = time.monotonic() - began_s
    stage.told(f"one node: {days} days in {alone_s:.0f} s")
    unhurt = _undisturbed(stage, alone, days)
    losses = [
        _one_lost(stage, alone, days, number) for number in range(stage.times(short=1, usual=3, full=10))
    ]
    wrong = [text for loss in losses if (text := loss[1])]
    seconds = [loss[0] for loss in losses]
    return [
        unhurt,
        Outcome(
            done=f"{len(losses)} runs of {days} days on three nodes, a node killed in the middle of a batch in each",
            found=f"{len(losses)} ended by themselves, {len(losses) - len(wrong)} with the tables of one node; "
            f"longest {max(seconds):.0f} s (undisturbed {unhurt.figures['seconds']:.0f} s)",
            passed=not wrong,
            figures={"losses": len(losses), "longest_s": round(max(seconds), 1)},
            trouble="; ".join(wrong),
        ),
    ]


def _undisturbed(stage: Stage, alone: Lake, days: int) -> Outcome:
    lake = Lake(stage.folder / "three")
    with three_nodes() as cluster:
        began_s = time.monotonic()
        _finished(_children(cluster), lake, days)
        seconds = time.monotonic() - began_s
    differing = _differing(lake, alone)
    stage.told(f"three nodes: {days} days in {seconds:.0f} s")
    return Outcome(
        done=f"{days} days on three nodes of one processor each",
        found=f"{lake.table('all_events').height:,} events; {len(TABLES) - len(differing)} of {len(TABLES)} tables "
        f"as on one node",
        passed=not differing,
        figures={"seconds": round(seconds, 1)},
        trouble=", ".join(differing),
    )


def _one_lost(stage: Stage, alone: Lake, days: int, number: int) -> tuple[float, str]:
    """Seconds that a run took that lost a node, and what is wrong with what it left."""
    rng = random.Random(f"{stage.seed} node {number}")
    lake = Lake(stage.folder / f"lost-{number}")
    with three_nodes() as cluster:
        began_s = time.monotonic()
        with _children(cluster).started(*SIM, *_options(lake, days)) as running:
            _wait_for_a_batch(lake, running, at_least=1 + rng.randrange(2))
            time.sleep(rng.uniform(0.05, 0.6))
            victim = sorted(cluster.worker_nodes, key=lambda node: node.unique_id)[rng.randrange(2)]
            cluster.remove_node(victim, allow_graceful=False)
            alive = running.process.poll() is None
            ended = running.wait(300)
        seconds = time.monotonic() - began_s
    stage.told(
        f"node lost {'in the run' if alive else 'after its end'}: ended with {ended.code} in {seconds:.0f} s"
    )
    if not alive:
        return seconds, "the run was over before the node was lost"
    if ended.code != 0:
        return seconds, f"ended with {ended.code}: {ended.err[-600:]}"
    return seconds, ", ".join(_differing(lake, alone))


@contextmanager
def three_nodes() -> Iterator[Cluster]:
    """A head and two more nodes, on this machine, each with one processor and a store of its own."""
    cluster: Any = Cluster(
        initialize_head=True,
        head_node_args={"num_cpus": 1, "object_store_memory": _STORE_BYTES, "include_dashboard": False},
    )
    try:
        for _ in range(2):
            cluster.add_node(num_cpus=1, object_store_memory=_STORE_BYTES)
        cluster.wait_for_nodes()
        yield cluster
    finally:
        if ray.is_initialized() and ray.get_runtime_context().gcs_address == cluster.address:
            ray.shutdown()
        cluster.shutdown()


def _children(cluster: Cluster) -> Children:
    return Children(ray_address=cluster.address)


def _finished(children: Children, lake: Lake, days: int) -> None:
    ended = children.run(*SIM, *_options(lake, days), timeout_s=300)
    assert ended.code == 0, ended.err[-2000:]


def _options(lake: Lake, days: int) -> tuple[str, ...]:
    return (*lake.options, "--speed", "max", "--from", MIDNIGHT, "--until-day", str(days), "--quiet")


def _wait_for_a_batch(lake: Lake, running: Running, at_least: int) -> None:
    """Until a batch of that number or a later one is under way."""
    journal = lake.state / "kitchen-batch.json"

    def under_way() -> bool:
        assert running.process.poll() is None, "ended before a batch was under way"
        return journal.exists() and json.loads(journal.read_bytes())["number"] >= at_least

    wait_until(under_way, "a batch is under way", 120)


def _differing(one: Lake, other: Lake) -> list[str]:
    """Tables that do not hold the same rows."""
    return [name for name in TABLES if not _rows(one, name).equals(_rows(other, name))]


def _rows(lake: Lake, name: str) -> Any:
    rows = lake.table(name).drop(OF_THE_RUN, strict=False)
    rows = rows.drop("_batch_id", strict=False)
    keys = GOLD_KEYS.get(name, ("event_id",) if name == "all_events" else tuple(rows.columns))
    return rows.sort(keys)
