"""A catalog holds one world, of one domain."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from test_domains import OPTIONS

from casper_ray.errors import LakeError
from casper_ray.lakehouse.names import Catalog
from casper_ray.main_job.domains import DOMAINS, load_domain
from casper_ray.main_job.domains.kitchen import KITCHEN
from casper_ray.main_job.identity import resolve_world
from casper_ray.main_job.options import JobOptions, checked_options
from casper_ray.medallion.pipelines import PIPELINES, pipeline_of


def options(**changes: Any) -> JobOptions:
    return checked_options(domain="kitchen", **{**OPTIONS, **changes})


def test_what_is_not_asked_for_is_as_the_catalog_has_it(catalog: Catalog) -> None:
    first, _ = resolve_world(catalog, options(seed=7, days=3, scenario="late"), KITCHEN)
    again, world = resolve_world(catalog, options(), KITCHEN)
    assert again == first
    assert (world.seed, world.days, world.scenario.name) == (7, 3, "late")


def test_what_is_asked_for_nowhere_is_the_domains(catalog: Catalog) -> None:
    found, world = resolve_world(catalog, options(days=2), replace(KITCHEN, scenario="shuffled"))
    assert found.scenario == world.scenario.name == "shuffled"


def test_another_domains_world_is_refused_with_the_way_to_it(catalog: Catalog) -> None:
    resolve_world(catalog, options(days=2), KITCHEN)
    with pytest.raises(LakeError, match=r"domain is kitchen, asked for bakery.*by --domain kitchen"):
        resolve_world(catalog, options(), replace(KITCHEN, name="bakery"))


@pytest.mark.parametrize("name", DOMAINS)
def test_a_scenario_whose_file_tells_otherwise_than_at_the_first_run_is_refused(
    catalog: Catalog, tmp_path: Path, name: str
) -> None:
    domain, story = load_domain(name), tmp_path / "story.yml"
    asked = checked_options(domain=name, **OPTIONS | {"days": 2, "scenario": str(story)})
    story.write_text("faults: {duplicates: {rate: 0.01}}\n")
    first, _ = resolve_world(catalog, asked, domain)
    story.write_text("description: As before.\nfaults: {duplicates: {rate: 0.01}}\n")
    assert resolve_world(catalog, asked, domain)[0] == first
    for faults in ("faults: {duplicates: {rate: 0.02}}\n", "name: plain\n"):
        story.write_text(faults)
        with pytest.raises(LakeError, match=r"its digest is .*story\.yml says now.*bring back what made it"):
            resolve_world(catalog, asked, domain)


def test_the_start_day_of_a_world_anchored_now_is_the_domains(catalog: Catalog) -> None:
    by_domain, _ = resolve_world(catalog, options(anchor="now"), replace(KITCHEN, start_day=5))
    other = Catalog(catalog.lake, "other")
    asked, _ = resolve_world(other, options(anchor="now", start_day=7), replace(KITCHEN, start_day=5))
    assert (by_domain.epoch - asked.epoch).days == 2


def test_the_pipeline_of_a_catalog_is_that_of_its_world(catalog: Catalog) -> None:
    assert pipeline_of(catalog) == PIPELINES["kitchen"], "none is known yet"
    resolve_world(catalog, options(days=2), KITCHEN)
    assert pipeline_of(catalog) == PIPELINES["kitchen"]
    told = catalog.world_file.read_text()
    catalog.world_file.write_text(told.replace('"kitchen"', '"bank"', 1))
    assert pipeline_of(catalog) == PIPELINES["bank"]


@pytest.mark.parametrize("content", ["{", "[1]", '{"domain": "bakery"}', '{"domain": ["bank"]}'])
def test_a_word_that_names_no_pipeline_is_refused(catalog: Catalog, content: str) -> None:
    catalog.world_file.write_text(content)
    with pytest.raises(LakeError, match=r"world\.json: does not say which world this is"):
        pipeline_of(catalog)
