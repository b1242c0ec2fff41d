"""Rules in figures: what counts, what is the latest, what stopped."""

from __future__ import annotations

import pytest
from quality_samples import START, WALL, evidence, judged

from casper_ray.medallion.report.figures import committed, most_failing, rule_figures, stops

STOPPED = {"run": "run-2", "ingested_at": WALL}


def test_a_rule_has_its_rows_of_all_batches() -> None:
    (rule,) = rule_figures(evidence([judged(1, "price", 90, 10), judged(2, "price", 95, 5)]).log)
    assert (rule.table, rule.rule, rule.passed, rule.failed) == ("orders", "price", 185, 15)
    assert rule.judged == 200
    assert (rule.owner, rule.tags) == ("kitchen-data", ("content",))


def test_rules_of_one_name_belong_to_their_tables() -> None:
    log = evidence([judged(1, "price", 1, 2, table="b"), judged(1, "price", 3, 4, table="a")]).log
    assert [(rule.table, rule.failed) for rule in rule_figures(log)] == [("a", 4), ("b", 2)]


def test_the_latest_wording_is_shown_and_the_number_of_them() -> None:
    log = evidence(
        [judged(9, "price", 1, 0, expression="price > 1", action="drop"), judged(2, "price", 1, 0)]
    ).log
    (rule,) = rule_figures(log)
    assert (rule.expression, rule.action, rule.wordings) == ("price > 1", "drop", 2)


def test_the_last_failure_is_the_last_batch_with_one() -> None:
    log = evidence(
        [judged(1, "price", 9, 1), judged(2, "price", 9, 1, sample="[2]"), judged(3, "price", 9, 0)]
    )
    (rule,) = rule_figures(log.log)
    assert rule.last_batch == 2
    assert rule.last_instant is not None
    assert (rule.last_instant - START).total_seconds() == 2 * 3600
    assert rule.sample == "[2]"


def test_a_rule_that_nothing_failed_has_no_last_failure() -> None:
    (rule,) = rule_figures(evidence([judged(1, "price", 9, 0)]).log)
    assert (rule.last_batch, rule.last_instant, rule.sample) == (None, None, None)


def test_rows_of_a_stopped_attempt_do_not_count_whichever_rule_stopped_it() -> None:
    log = evidence(
        [
            judged(1, "id", 98, 2, action="fail", stopped=True, **STOPPED),
            judged(1, "price", 70, 30, **STOPPED),
            judged(1, "id", 100, 0, action="fail"),
            judged(1, "price", 99, 1),
        ]
    ).log
    assert committed(log).height == 2
    by_name = {rule.rule: rule for rule in rule_figures(log)}
    assert (by_name["id"].passed, by_name["id"].failed, by_name["id"].stops) == (100, 0, 1)
    assert (by_name["price"].passed, by_name["price"].failed, by_name["price"].stops) == (99, 1, 0)
    assert by_name["id"].last_batch == 1


def test_a_rule_that_only_ever_stopped_batches_has_no_rows_but_its_stops() -> None:
    log = evidence([judged(1, "id", 98, 2, stopped=True, sim_instant=None)]).log
    (rule,) = rule_figures(log)
    assert (rule.passed, rule.failed, rule.stops, rule.last_instant) == (0, 0, 1, None)


def test_stops_are_told_latest_first_with_their_rows() -> None:
    log = evidence(
        [judged(4, "id", 8, 2, stopped=True), judged(5, "id", 8, 3, stopped=True), judged(6, "id", 9, 0)]
    )
    assert [(stop.batch, stop.failed) for stop in stops(log.log)] == [(5, 3), (4, 2)]


@pytest.mark.parametrize(("limit", "names"), [(9, ["b", "c", "a"]), (2, ["b", "c"])])
def test_the_most_failing_rules_come_first_and_others_not_at_all(limit: int, names: list[str]) -> None:
    log = [judged(1, "a", 1, 1), judged(1, "b", 1, 9), judged(1, "c", 1, 3), judged(1, "d", 1, 0)]
    assert [rule.rule for rule in most_failing(rule_figures(evidence(log).log), limit)] == names


def test_missing_owner_action_and_tags_are_empty() -> None:
    (rule,) = rule_figures(evidence([judged(1, "a", 1, 1, owner=None, tags=None, expression=None)]).log)
    assert (rule.owner, rule.tags, rule.expression) == ("", (), "")
