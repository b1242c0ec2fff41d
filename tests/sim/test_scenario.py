"""Scenarios: what is refused, and how they compose."""

from __future__ import annotations

from pathlib import Path

import pytest

from casper_ray.errors import ConfigError
from casper_ray.sim.scenario import load_scenario, scenario_names


def written(folder: Path, text: str, name: str = "mine") -> str:
    path = folder / f"{name}.yml"
    path.write_text(text)
    return str(path)


@pytest.mark.parametrize("name", scenario_names())
def test_built_in_scenarios_load(name: str) -> None:
    assert load_scenario(name).name == name


def test_the_named_scenarios_are_built_in() -> None:
    wanted = {"baseline", "driver_shortage", "kitchen_fire", "holiday_rush", "new_city", "big"}
    assert wanted <= set(scenario_names())


def test_a_misspelt_name_is_answered_with_the_nearest() -> None:
    with pytest.raises(
        ConfigError, match=r"did you mean 'driver_shortage'\? known are all_faults, bad_files"
    ):
        load_scenario("baseline+drivr_shortage")


def test_a_missing_file_is_told(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="there is no such file"):
        load_scenario(str(tmp_path / "nowhere.yml"))


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("dayz: 3", r"mine\.yml: unknown keys \['dayz'\]. Hint: known keys are \[.*'days'"),
        (
            "replicas: {locatons: 3, locations: 2}",
            r"mine\.yml: replicas: unknown keys \['locatons'\].*base_orders",
        ),
        (
            "incidents: [{name: a, days: [1, 2], wait: 3}]",
            r"incidents\.0: unknown keys \['wait'\].*driver_wait",
        ),
        ("days: many", r"mine\.yml: days: .*saw 'many'"),
        ("days: 0", r"mine\.yml: days: .*saw 0"),
        ("incidents: [{name: a, days: [5, 2]}]", r"incident 'a': days must rise"),
        ("incidents: [{name: a, days: [1, 2], hours: [5, 5]}]", r"hours must rise"),
        ("incidents: [{name: a, days: [1, 2], closed: true}]", r"closes for 12 hours at most"),
        ("- 1", r"expected a mapping"),
        ("days: [1", r"is not YAML"),
    ],
)
def test_what_does_not_fit_is_told_in_one_line(tmp_path: Path, text: str, told: str) -> None:
    with pytest.raises(ConfigError, match=told) as caught:
        load_scenario(f"baseline+{written(tmp_path, text)}")
    assert "\n" not in str(caught.value)


def test_composition_appends_lists_and_lets_the_later_scalar_win(tmp_path: Path) -> None:
    mine = written(tmp_path, "days: 30\ndescription: Mine.")
    composed = load_scenario(f"driver_shortage+holiday_rush+new_city+{mine}")
    assert composed.name == "driver_shortage+holiday_rush+new_city+mine"
    assert [i.name for i in composed.incidents][1:] == ["san_francisco_driver_shortage", "holiday_rush"]
    assert [place.id for place in composed.locations] == [5]
    assert composed.days == 30
    assert load_scenario(f"{mine}+big").days == 365


def test_digest_is_of_the_content_alone(tmp_path: Path) -> None:
    baseline = load_scenario("baseline")
    renamed = load_scenario(written(tmp_path, "description: The same under another name."))
    assert renamed.digest() == baseline.digest()
    assert load_scenario("baseline+kitchen_fire").digest() == load_scenario("kitchen_fire").digest()
    assert load_scenario("kitchen_fire").digest() != baseline.digest()
