"""Every domain that the main job offers is whole, and is told apart from another where it matters."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import polars as pl
import pytest

from casper_ray.config import DEFAULT_CATALOGS
from casper_ray.domain.time import CANONICAL_EPOCH, US_PER_DAY, sim_micros
from casper_ray.errors import ConfigError
from casper_ray.main_job.domains import DOMAINS, load_domain
from casper_ray.main_job.domains.domain import Order
from casper_ray.main_job.options import checked_options
from casper_ray.medallion.pipelines import PIPELINES

OPTIONS: dict[str, Any] = {
    "speed": "max", "lake": "lake", "catalog": None, "seed": None, "days": None, "start_day": None, "for_": None,
    "until_day": None, "trigger": "continuous", "tick": "1s", "scenario": None, "loop": False, "anchor": None,
    "start_from": None, "pipeline": True,
}  # fmt: skip


def test_domains_catalogs_and_pipelines_have_the_same_names() -> None:
    assert set(DOMAINS) <= set(DEFAULT_CATALOGS)
    assert set(DOMAINS) <= set(PIPELINES)


def test_the_list_of_domains_costs_no_engine() -> None:
    script = "import sys, casper_ray.main_job.options; print({'polars', 'numpy', 'ray'} & set(sys.modules))"
    told = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert told.stdout.strip() == "set()"


@pytest.mark.parametrize("name", DOMAINS)
def test_a_domain_is_told_by_its_options_and_its_catalog_is_its_own(name: str) -> None:
    options = checked_options(domain=name, **OPTIONS)
    assert (options.domain, options.catalog) == (name, DEFAULT_CATALOGS[name])
    with pytest.raises(ConfigError, match=f"--domain: saw 'shop', expected one of .*{name}"):
        checked_options(domain="shop", **OPTIONS)


@pytest.mark.parametrize("name", DOMAINS)
def test_what_a_domain_declares_is_what_its_world_has(name: str) -> None:
    domain = load_domain(name)
    world = domain.build(Order(domain.scenario, 42, 3, CANONICAL_EPOCH, False))
    assert domain.name == name
    assert tuple(feed.name for feed in domain.feeds) == world.feeds
    assert (world.seed, world.days, world.epoch) == (42, 3, CANONICAL_EPOCH)
    places = world.dimensions()[domain.places.dimension]
    assert places.select(domain.places.place, domain.places.name).is_unique().all()
    for table in domain.truth:
        none, some = table.rows(world, 0, 0), table.rows(world, 0, 3)
        assert none.is_empty()
        assert some.height
        assert none.schema == some.schema
        assert set(table.stats) <= set(none.columns)


@pytest.mark.parametrize("name", DOMAINS)
def test_a_feed_has_the_columns_that_its_declaration_names(name: str) -> None:
    domain = load_domain(name)
    world = domain.build(Order(domain.scenario, 42, 2, CANONICAL_EPOCH, False))
    start = sim_micros(world.epoch)
    for feed in domain.feeds:
        events = world.events(feed.name, start, start + US_PER_DAY)
        assert events.height, feed.name
        assert {feed.key, "ts", "ts_us", *feed.numbers} <= set(events.columns)
        assert feed.place is None or feed.place in events.columns
        assert feed.counted is None or feed.counted in set(events["event_type"])
        assert len(set(feed.keys(events[feed.key]).tolist())) == events[feed.key].n_unique()
        numbers = [events.schema[column] for column in feed.numbers]
        assert all(kind.is_numeric() for kind in numbers)
        lines = world.lines(feed.name, events)
        assert lines.count(b"\n") == events.height
        told = pl.read_ndjson(lines, infer_schema_length=None)
        assert told[feed.key].to_list() == events[feed.key].to_list()
