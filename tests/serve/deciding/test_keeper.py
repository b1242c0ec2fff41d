"""A case is decided once and kept before it is answered, whoever asks how often, and whatever dies in between."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator, Sequence

import polars as pl
import pytest
from asked import made, refused, wanted
from children import wait_until
from deltalake import DeltaTable
from growing_lake import GrowingLake
from polars.testing import assert_frame_equal

from casper_ray import failpoints
from casper_ray.agents.decision import DECISIONS
from casper_ray.agents.stream.log import DecisionLog, DecisionsTable
from casper_ray.agents.stream.runner import lease_name
from casper_ray.agents.stream.switch import Switch
from casper_ray.errors import LeaseHeldError
from casper_ray.lakehouse.lease import catalog_lease
from casper_ray.serve.audit import AuditEvent, newest_events
from casper_ray.serve.deciding import keeper as keeper_module
from casper_ray.serve.deciding.group import Answer, Group
from casper_ray.serve.deciding.proposer import Proposer
from casper_ray.serve.door.errors import DoorError
from casper_ray.serve.door.services import Made
from casper_ray.serve.settings import ServeSettings
from casper_ray.serve.testing import LocalServices, local_services


class PowerCutError(BaseException):
    """Nobody catches it: what is in memory is lost."""


def power_cut() -> None:
    raise PowerCutError


@pytest.fixture(autouse=True)
def _disarmed() -> Iterator[None]:
    yield
    failpoints.disarm()


def ask(services: LocalServices, *subjects: str, key: str = "") -> list[Answer]:
    """One call of the proposer, for all of them."""
    calls = [wanted(subject, key=key and f"{key}-{subject}") for subject in subjects]
    return list(asyncio.run(services.proposers["refund"].decide(calls, 30)))


def test_what_is_decided_is_what_the_stream_would_decide(
    services: LocalServices, lake: GrowingLake, served_lake: GrowingLake
) -> None:
    subjects = lake.delivered()
    made(ask(services, *subjects))
    services.close()
    theirs = served_lake.copy(lake.catalog.lake.parent / "theirs")
    assert theirs.runner().step()
    ours = lake.content()
    assert ours.height == len(subjects)
    assert_frame_equal(ours, theirs.content())


def test_answers_are_the_rows_that_are_in_the_table(services: LocalServices, lake: GrowingLake) -> None:
    answers = made(ask(services, *lake.delivered()[:3]))
    rows = {row["decision_id"]: row for row in lake.decisions().iter_rows(named=True)}
    for answer in answers:
        told, row = json.loads(answer.decision), rows[answer.decision_id]
        assert not answer.replayed
        assert (told["case_id"], told["gate_action"]) == (row["case_id"], answer.gate_action)
        assert told["inputs"] == json.loads(row["inputs"])


def test_asked_again_it_is_the_same_decision(services: LocalServices, lake: GrowingLake) -> None:
    subject = lake.delivered()[0]
    first, again, same_call = made(ask(services, subject) + ask(services, subject, f"order:{subject}"))
    assert (first.replayed, again.replayed, same_call.replayed) == (False, True, True)
    assert {first.decision, again.decision, same_call.decision} == {first.decision}
    assert lake.decisions().height == 1


def test_a_new_keeper_knows_what_an_earlier_one_decided(
    services: LocalServices, serve_settings: ServeSettings, lake: GrowingLake
) -> None:
    subject = lake.delivered()[0]
    (first,) = made(ask(services, subject))
    services.close()
    after = local_services(serve_settings)
    (again,) = made(ask(after, subject))
    after.close()
    assert again.replayed
    assert again.decision == first.decision
    assert lake.decisions().height == 1


def filed(services: LocalServices, lake: GrowingLake) -> list[AuditEvent]:
    """The newest events, once all that were kept are in the table."""
    asyncio.run(services.keepers["caspers"].file_events())
    return newest_events(lake.catalog, 10)


class Collecting:
    """A keeper's place in front of a proposer: takes groups, and answers none."""

    def __init__(self) -> None:
        self.groups: list[Group] = []

    async def keep(self, group: Group) -> list[Answer]:
        self.groups.append(group)
        return [DoorError(503, "not kept")] * len(group.asked)

    async def note(self, events: Sequence[AuditEvent]) -> None:
        raise AssertionError("a proposer notes nothing")

    async def file_events(self) -> None:
        raise AssertionError("a proposer files nothing")

    async def ready(self) -> bool:
        return True


def test_groups_that_wait_are_committed_together(services: LocalServices, lake: GrowingLake) -> None:
    collecting = Collecting()
    proposer = Proposer(lake.setting, collecting)

    async def together() -> None:
        for subject in lake.delivered()[:20]:
            await proposer.decide([wanted(subject)], 30)
        keep = services.keepers["caspers"].keep
        for (answer,) in await asyncio.gather(*map(keep, collecting.groups)):
            made([answer])

    asyncio.run(together())
    proposer.close()
    assert lake.decisions().height == 20
    assert lake.version() == 1  # 0 is the empty table


def test_one_commit_can_be_of_two_agents_and_each_counts_its_own(lake: GrowingLake) -> None:
    table = DecisionsTable(lake.catalog)
    one, two = (DecisionLog(lake.catalog, name, "v", table) for name in ("refund", "complaint"))
    batches = dict([one.next_single(), two.next_single()])
    rows = pl.DataFrame(DECISIONS.schema.empty_table())
    assert table.append(batches, "both", lambda _: rows, {})
    assert not table.append(batches, "both", lambda _: rows, {})
    later = DecisionLog(lake.catalog, "complaint", "v")
    assert later.has_singles
    assert later.next_single() == ("casper/agents/complaint/v/single", 2)
    assert lake.version() == 1


@pytest.mark.parametrize(
    ("place", "rows"), [("serve.before_commit", 0), ("serve.after_commit", 1), ("serve.after_audit", 1)]
)
def test_killed_at_any_step_nothing_is_twice_and_nothing_answered_is_lost(
    services: LocalServices, serve_settings: ServeSettings, lake: GrowingLake, place: str, rows: int
) -> None:
    subject = lake.delivered()[0]
    failpoints.arm(place, die=power_cut)
    with pytest.raises(RuntimeError, match="PowerCutError"):
        ask(services, subject, key="k")
    failpoints.disarm()
    services.close()
    assert lake.decisions().height == rows
    after = local_services(serve_settings)
    (answer,) = made(ask(after, subject, key="k"))
    after.close()
    assert answer.replayed == bool(rows)
    assert lake.decisions().height == 1
    events = newest_events(lake.catalog, 10)
    assert events[0].decision_id == answer.decision_id


def test_a_commit_that_failed_after_it_was_done_is_not_done_again(
    services: LocalServices, lake: GrowingLake
) -> None:
    """As where the checkpoint after it finds no room on the disk."""
    one, two = lake.delivered()[:2]
    failpoints.arm("commit.after:decisions", die=power_cut)
    with pytest.raises(RuntimeError, match="PowerCutError"):
        ask(services, one)
    failpoints.disarm()
    again, new = made(ask(services, one, two))
    assert (again.replayed, new.replayed) == (True, False)
    assert lake.decisions().height == 2


def test_a_key_used_for_something_else_is_a_conflict(services: LocalServices, lake: GrowingLake) -> None:
    one, two = lake.delivered()[:2]
    decide = services.proposers["refund"].decide
    (first,) = made(asyncio.run(decide([wanted(one, key="k")], 30)))
    assert refused(asyncio.run(decide([wanted(two, key="k")], 30))[0]).status == 409
    assert refused(asyncio.run(decide([wanted("NOPE", key="k")], 30))[0]).status == 409
    (again,) = made(asyncio.run(decide([wanted(one, key="k")], 30)))
    assert again.decision == first.decision
    assert lake.decisions().height == 1


def test_two_posts_with_one_key_at_the_same_time_get_one_decision(
    services: LocalServices, lake: GrowingLake
) -> None:
    one, two = lake.delivered()[:2]
    decide = services.proposers["refund"].decide

    async def race() -> list[Answer]:
        calls = (decide([wanted(each, key="k")], 30) for each in (one, one, two, one))
        return [answer for (answer,) in await asyncio.gather(*calls)]

    answers = asyncio.run(race())
    same = made([answers[0], answers[1], answers[3]])
    assert len({answer.decision for answer in same}) == 1
    assert refused(answers[2]).status == 409
    assert lake.decisions().height == 1


def test_keys_outlive_the_keeper(
    services: LocalServices, serve_settings: ServeSettings, lake: GrowingLake
) -> None:
    one, two = lake.delivered()[:2]
    (first,) = made(asyncio.run(services.proposers["refund"].decide([wanted(one, key="k")], 30)))
    services.close()
    after = local_services(serve_settings)
    decide = after.proposers["refund"].decide
    assert refused(asyncio.run(decide([wanted(two, key="k")], 30))[0]).status == 409
    assert made(asyncio.run(decide([wanted(one, key="k")], 30)))[0].decision == first.decision
    after.close()


def test_a_running_agents_command_is_named_and_waited_for(
    lake: GrowingLake, serve_settings: ServeSettings
) -> None:
    subject = lake.delivered()[0]
    with catalog_lease(lake.catalog, lease_name("refund"), "casper agents run"):
        services = local_services(serve_settings)
        (answer,) = ask(services, subject)
        assert refused(answer).status == 503
        assert "casper agents run" in refused(answer).message
        assert asyncio.run(services.keepers["caspers"].ready()) is False
    wait_until(lambda: isinstance(ask(services, subject)[0], Made), "the lease is ours")
    services.close()


def test_a_served_agent_is_named_to_the_command_that_is_refused(
    services: LocalServices, lake: GrowingLake
) -> None:
    with (
        pytest.raises(LeaseHeldError, match="casper serve"),
        catalog_lease(lake.catalog, lease_name("refund")),
    ):
        raise AssertionError("the lease was given twice")


def test_the_stream_passes_over_what_was_served(services: LocalServices, lake: GrowingLake) -> None:
    subjects = lake.delivered()[:10]
    made(ask(services, *subjects))
    before = lake.decisions()
    services.close()
    assert lake.runner().step()
    after = lake.decisions()
    assert sorted(after["pays_for"]) == lake.delivered()
    assert_frame_equal(
        after.filter(pl.col("decision_id").is_in(before["decision_id"].implode())),
        before,
        check_row_order=False,
    )


def test_a_switched_off_agent_sends_cases_to_people(services: LocalServices, lake: GrowingLake) -> None:
    Switch(lake.catalog, "refund").turn_off()
    (answer,) = made(ask(services, lake.delivered()[0]))
    assert answer.gate_action == "queued"
    assert json.loads(answer.decision)["gate_reasons"] == ["kill_switch"]


def test_every_decision_has_an_event_and_each_names_who_asked(
    services: LocalServices, lake: GrowingLake
) -> None:
    subjects = lake.delivered()[:3]
    ask(services, *subjects)
    ask(services, subjects[0])
    events = filed(services, lake)
    assert [event.outcome for event in events] == ["replayed", "decided", "decided", "decided"]
    assert {event.principal for event in events} == {"op-1"}
    assert {event.case_id for event in events} == {f"order:{subject}" for subject in subjects}
    assert {event.decision_id for event in events} == set(lake.decisions()["decision_id"])


def test_nothing_is_decided_while_events_cannot_be_kept(services: LocalServices, lake: GrowingLake) -> None:
    one, two = lake.delivered()[:2]
    folder = lake.catalog.state / "audit"
    folder.touch()  # a file where the folder would be: no journal can be begun
    with pytest.raises(OSError, match="audit"):
        ask(services, one)
    assert refused(ask(services, two)[0]).status == 503
    assert lake.decisions().height == 1
    folder.unlink()
    made(ask(services, two))
    assert [event.case_id for event in filed(services, lake)] == [f"order:{two}", f"order:{one}"]


def test_while_their_table_cannot_be_written_events_wait_in_the_journal(
    services: LocalServices, lake: GrowingLake
) -> None:
    one, two = lake.delivered()[:2]
    log = lake.catalog.table("compliance", "audit_log") / "_delta_log"
    hidden = log.rename(log.with_name("hidden"))
    (log.parent / "_delta_log").touch()  # a file where the folder was: commits fail
    made(ask(services, one, two))
    with pytest.raises(OSError, match="_delta_log"):
        filed(services, lake)
    log.unlink()
    hidden.rename(log)
    assert {event.case_id for event in filed(services, lake)} == {f"order:{one}", f"order:{two}"}
    filed(services, lake)
    assert len(newest_events(lake.catalog, 10)) == 2


def test_events_are_in_their_table_soon_without_being_asked_for(
    services: LocalServices, lake: GrowingLake
) -> None:
    async def decide_and_wait() -> None:
        await services.proposers["refund"].decide([wanted(lake.delivered()[0])], 30)
        async with asyncio.timeout(30):
            while not newest_events(lake.catalog, 1):
                await asyncio.sleep(0.05)

    asyncio.run(decide_and_wait())
    (event,) = newest_events(lake.catalog, 10)
    assert event.case_id == f"order:{lake.delivered()[0]}"


def test_small_files_are_put_together_while_decisions_go_on(
    services: LocalServices, lake: GrowingLake, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keeper_module, "_TEND_EVERY", 16)
    subjects = lake.delivered()[:24]

    async def one_by_one() -> None:
        for subject in subjects:
            made(list(await services.proposers["refund"].decide([wanted(subject)], 30)))
        async with asyncio.timeout(30):
            while DeltaTable(services.keepers["caspers"]._table.path).get_add_actions().num_rows >= 16:
                await asyncio.sleep(0.05)

    asyncio.run(one_by_one())
    again = made(ask(services, *subjects, lake.delivered()[24]))
    assert [answer.replayed for answer in again] == [True] * 24 + [False]
    rows = lake.decisions()
    assert (rows.height, rows["case_id"].n_unique()) == (25, 25)
