"""The deck deals as many crimes as a scenario asks for."""

from __future__ import annotations

import time
from collections import Counter

import numpy as np
import pytest

from casper_ray.errors import ConfigError
from casper_ray.sim.bank.crimes.all import NAMES
from casper_ray.sim.bank.crimes.deck import Case, case_rows, deal
from casper_ray.sim.bank.estate import estate
from casper_ray.sim.bank.rows import Kind
from casper_ray.sim.bank.scenario import BankScenario, Wave, load_bank_scenario

BASELINE = BankScenario(name="baseline")
EXPECTED = 1_100_000.0


def criminal(cases: tuple[Case, ...], customers: int, days: int, seed: int = 42) -> int:
    stands = estate(seed, customers)
    told = [case_rows(seed, c, customers=customers, days=days, estate=stands) for c in cases if not c.twin]
    return sum(int(((rows["typology"] > 0) & (rows["kind"] != Kind.ENROLMENT)).sum()) for rows in told)


@pytest.mark.parametrize("seed", [1, 42])
def test_prevalence_is_kept(seed: int) -> None:
    cases = deal(seed, BASELINE, 90, EXPECTED)
    assert criminal(cases, 5_000, 90, seed) == pytest.approx(EXPECTED * BASELINE.prevalence, rel=0.15)


@pytest.mark.parametrize("days", [5, 7, 30])
def test_prevalence_is_about_kept_where_cases_are_cut_short(days: int) -> None:
    cases = deal(42, BankScenario(name="short", twins=0), days, EXPECTED)
    assert criminal(cases, 5_000, days) == pytest.approx(EXPECTED * BASELINE.prevalence, rel=0.2)


@pytest.mark.parametrize("seed", range(5))
def test_every_typology_is_dealt_in_a_world_of_usual_size(seed: int) -> None:
    crimes = Counter(case.pattern for case in deal(seed, BASELINE, 90, EXPECTED) if not case.twin)
    assert set(crimes) == set(range(len(NAMES)))
    tight = Counter(case.pattern for case in deal(seed, BASELINE, 90, 230_000) if not case.twin)
    assert set(tight) == set(range(len(NAMES))), "one each, where there is just room for it"


def test_twins_are_dealt_for_each_crime() -> None:
    cases = deal(1, BASELINE, 90, EXPECTED)
    crimes = Counter(case.pattern for case in cases if not case.twin)
    assert Counter(case.pattern for case in cases if case.twin) == Counter(
        {k: 4 * n for k, n in crimes.items()}
    )
    some = deal(1, BankScenario(name="some", twins=0.5), 90, EXPECTED)
    assert 0.3 < sum(case.twin for case in some) / sum(not case.twin for case in some) < 0.7
    assert not any(case.twin for case in deal(1, BankScenario(name="none", twins=0), 90, EXPECTED))


def test_cases_are_sorted_and_numbered_once() -> None:
    cases = deal(1, load_bank_scenario("mule_ring+card_testing_wave"), 90, EXPECTED)
    assert list(cases) == sorted(cases, key=lambda case: (case.begin_day, case.number))
    assert len({case.number for case in cases}) == len(cases)
    assert all(0 <= case.begin_day < 90 for case in cases)
    assert cases == deal(1, load_bank_scenario("mule_ring+card_testing_wave"), 90, EXPECTED)
    assert cases != deal(2, load_bank_scenario("mule_ring+card_testing_wave"), 90, EXPECTED)


def test_waves_come_on_top_and_change_no_other_case() -> None:
    wave = Wave(typology="card_testing", days=(40, 42), cases=25)
    scenario = BankScenario(name="wave", waves=(wave,))
    usual, more = set(deal(1, BASELINE, 90, EXPECTED)), set(deal(1, scenario, 90, EXPECTED))
    assert usual < more
    added = [case for case in more - usual if not case.twin]
    assert len(added) == 25
    assert {NAMES[case.pattern] for case in added} == {"card_testing"}
    assert {case.begin_day for case in added} <= {40, 41, 42}
    late = scenario.model_copy(update={"waves": (wave.model_copy(update={"days": (95, 99)}),)})
    assert set(deal(1, late, 90, EXPECTED)) == usual


def test_a_factor_moves_a_typology_and_zero_leaves_it_out() -> None:
    factors = {"stolen_card": 4.0, "cycle": 0.0}
    cases = deal(1, BankScenario(name="odd", typologies=factors), 90, EXPECTED)
    crimes = Counter(NAMES[case.pattern] for case in cases if not case.twin)
    usual = Counter(NAMES[case.pattern] for case in deal(1, BASELINE, 90, EXPECTED) if not case.twin)
    assert "cycle" not in crimes
    assert crimes["stolen_card"] > 1.5 * usual["stolen_card"]
    assert criminal(cases, 5_000, 90) == pytest.approx(EXPECTED * 0.001, rel=0.15)


def test_no_prevalence_no_crimes() -> None:
    assert deal(1, BankScenario(name="calm", prevalence=0), 90, EXPECTED) == ()
    nobody = BankScenario(name="calm", typologies=dict.fromkeys(NAMES, 0.0))
    assert deal(1, nobody, 90, EXPECTED) == ()


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("days", [1, 5])
def test_a_small_world_has_few_cases_and_none_fails(seed: int, days: int) -> None:
    cases = deal(seed, BASELINE, days, 300.0 * days)
    assert 1 <= sum(not case.twin for case in cases) <= 3
    stands = estate(seed, 100)
    for case in cases:
        rows = case_rows(seed, case, customers=100, days=days, estate=stands)
        assert (rows["day"] < days).all()


def test_unknown_typologies_are_refused() -> None:
    with pytest.raises(ConfigError, match="did you mean 'fan_in'"):
        deal(1, BankScenario(name="odd", typologies={"fan_inn": 1.0}), 90, EXPECTED)
    with pytest.raises(ConfigError, match="unknown typology 'arson'"):
        deal(1, BankScenario(name="odd", waves=(Wave(typology="arson", days=(1, 2), cases=1),)), 90, EXPECTED)
    with pytest.raises(ConfigError, match="below 0"):
        deal(1, BankScenario(name="odd", typologies={"cycle": -1.0}), 90, EXPECTED)


def test_the_scenarios_that_ship_name_typologies_that_there_are() -> None:
    for name in ("card_testing_wave", "mule_ring"):
        assert deal(1, load_bank_scenario(name), 90, EXPECTED)


def test_a_case_costs_little_however_many_customers_there_are() -> None:
    stands = estate(1, 5_000)
    cases = deal(1, BASELINE, 90, EXPECTED)[:150]
    start = time.process_time()
    rows = [case_rows(1, case, customers=100_000_000, days=90, estate=stands) for case in cases]
    each_s = (time.process_time() - start) / len(cases)
    assert each_s < 0.01, "2 ms, on a machine that has nothing else to do"
    assert np.concatenate(rows)["customer"].max() > 1_000_000
