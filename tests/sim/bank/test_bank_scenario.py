"""Scenarios of the bank load, compose and refuse what they do not know."""

from __future__ import annotations

from pathlib import Path

import pytest

from casper_ray.errors import ConfigError
from casper_ray.sim.bank.scenario import bank_scenario_names, load_bank_scenario


def test_every_scenario_loads() -> None:
    names = bank_scenario_names()
    assert set(names) == {
        "bank_baseline", "bank_large", "card_testing_wave", "mule_ring", "march_2020", "dr_day", "drift",
        "schema_drift", "all_faults",
    }  # fmt: skip
    assert load_bank_scenario("bank_large").shards == 200
    assert all(load_bank_scenario(name).name == name for name in names)


def test_scenarios_compose_and_take_fault_scenarios() -> None:
    both = load_bank_scenario("card_testing_wave+mule_ring+duplicates")
    assert [wave.typology for wave in both.waves] == ["card_testing", "mule_network"]
    assert both.faults is not None
    assert both.faults.duplicates is not None
    assert both.digest() != load_bank_scenario("card_testing_wave+mule_ring").digest(), "another telling"


def test_digest_is_of_the_content_alone(tmp_path: Path) -> None:
    (tmp_path / "mine.yml").write_text("description: The same under another name.\n")
    baseline = load_bank_scenario("bank_baseline")
    mine = load_bank_scenario(f"bank_baseline+{tmp_path / 'mine.yml'}")
    assert mine.name != baseline.name
    assert mine.digest() == baseline.digest()
    names = bank_scenario_names()
    assert len({load_bank_scenario(name).digest() for name in names}) == len(names)


def test_unknown_keys_and_names_are_refused(tmp_path: Path) -> None:
    (tmp_path / "odd.yml").write_text("custommers: 3\n")
    with pytest.raises(ConfigError, match="unknown keys"):
        load_bank_scenario(str(tmp_path / "odd.yml"))
    with pytest.raises(ConfigError, match="did you mean 'mule_ring'"):
        load_bank_scenario("mule_rings")
    with pytest.raises(ConfigError, match="unknown"):
        load_bank_scenario("kitchen_fire")
