"""Blocks on Ray: each gives its result, or raises what it raised."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from casper_ray.errors import ConfigError
from casper_ray.lakehouse.names import Catalog
from casper_ray.medallion.fan_out import run_blocks
from casper_ray.medallion.files import Read, slices
from casper_ray.medallion.one_pass import BlockTask
from casper_ray.medallion.quality import Quality

pytestmark = [pytest.mark.ray, pytest.mark.usefixtures("local_ray")]


def task(catalog: Catalog, block: int, name: str, size_bytes: int, pipeline: str) -> BlockTask:
    return BlockTask(
        pipeline=pipeline,
        catalog_root=catalog.root,
        batch=1,
        block=block,
        slices=tuple(slices([Read(name, 0, size_bytes)])),
        ingested_at_us=0,
        quality=Quality(rules={}),
    )


def test_every_block_gives_one_result(catalog: Catalog, event_line: Callable[..., bytes]) -> None:
    volume = catalog.volume("simulator", "events")
    volume.mkdir(parents=True)
    tasks = []
    for block in range(5):
        data = b"".join(event_line(10 * block + i) for i in range(block))
        (volume / f"{block}.json").write_bytes(data)
        reference = "casper_ray.medallion.kitchen.pipeline:PIPELINE"
        tasks.append(task(catalog, block, f"{block}.json", len(data), reference))
    results = sorted(run_blocks([tasks]), key=lambda result: result.block)
    rows_in = [(result.block, result.accounts["volume:events"].rows_in) for result in results]
    assert rows_in == [(block, block) for block in range(5)]


def test_an_error_of_ours_arrives_as_it_was_raised(catalog: Catalog) -> None:
    with pytest.raises(ConfigError, match="pipeline 'nowhere:P': cannot be loaded") as caught:
        list(run_blocks([[task(catalog, 0, "a.json", 1, "nowhere:P")]]))
    assert type(caught.value) is ConfigError
    assert caught.value.hint == "module:NAME"
