"""Audit events are in their table once each, whenever their writer died; what nobody was told of may be missing."""

from __future__ import annotations

import errno
import os
from datetime import UTC, datetime
from pathlib import Path

import pytest

from casper_ray import failpoints
from casper_ray.lakehouse.names import Catalog
from casper_ray.serve.audit import AuditEvent, newest_events
from casper_ray.serve.audit_journal import AuditLog


@pytest.fixture
def catalog(tmp_path: Path) -> Catalog:
    return Catalog(tmp_path / "lake", "caspers")


def event(number: int) -> AuditEvent:
    return AuditEvent(
        at=datetime(2024, 3, 1, 12, 0, number, tzinfo=UTC),
        request_id=f"request-{number}",
        principal="op-1",
        role="operator",
        action="decide",
        route="/v1/agents/{agent}/decisions",
        status=200,
        outcome="decided",
        case_id="order:«ÄΩ\u2028\n",
    )


def ids(catalog: Catalog) -> list[str]:
    return sorted(each.request_id for each in newest_events(catalog, 100))


def journals(catalog: Catalog) -> list[Path]:
    return sorted((catalog.state / "audit").iterdir())


def killed(log: AuditLog) -> None:
    """Its files are closed, as the system does it, and nothing else is done."""
    for journal in [*log._full, *([log._open] if log._open else [])]:
        journal.close()


def test_what_is_written_is_in_a_journal_at_once_and_in_the_table_when_filed(catalog: Catalog) -> None:
    log = AuditLog(catalog)
    log.write([event(1), event(2)])
    assert (ids(catalog), log.journaled) == ([], True)
    log.turn()
    log.write([event(3)])
    log.file()
    assert ids(catalog) == ["request-1", "request-2"]
    log.close()
    assert newest_events(catalog, 1) == [event(3)]
    assert (journals(catalog), log.journaled) == ([], False)


def test_the_next_writer_files_what_a_dead_one_left(catalog: Catalog) -> None:
    log = AuditLog(catalog)
    log.write([event(1)])
    log.turn()
    log.write([event(2), event(3)])
    killed(log)
    AuditLog(catalog).close()
    assert newest_events(catalog, 100) == [event(3), event(2), event(1)]
    assert journals(catalog) == []


def test_a_writer_that_lives_is_left_alone(catalog: Catalog) -> None:
    one = AuditLog(catalog)
    one.write([event(1)])
    other = AuditLog(catalog)
    other.write([event(2)])
    assert ids(catalog) == []
    other.close()
    assert ids(catalog) == ["request-2"]
    one.write([event(3)])
    one.close()
    assert ids(catalog) == ["request-1", "request-2", "request-3"]


@pytest.mark.parametrize("place", ["commit.before:audit_log", "commit.after:audit_log"])
def test_killed_around_its_commit_a_journal_is_filed_once(catalog: Catalog, place: str) -> None:
    class PowerCutError(BaseException):
        pass

    def power_cut() -> None:
        raise PowerCutError

    log = AuditLog(catalog)
    log.write([event(1)])
    log.turn()
    log.write([event(2)])
    failpoints.arm(place, die=power_cut)
    with pytest.raises(PowerCutError):
        log.file()
    failpoints.disarm()
    killed(log)
    AuditLog(catalog).close()
    assert ids(catalog) == ["request-1", "request-2"]


def test_half_a_line_is_of_an_event_that_nobody_was_told_of(catalog: Catalog) -> None:
    log = AuditLog(catalog)
    log.write([event(1)])
    (path,) = journals(catalog)
    with path.open("ab") as file:
        file.write(b'{"at": "2024-03')
    killed(log)
    AuditLog(catalog).close()
    assert ids(catalog) == ["request-1"]


def test_events_that_found_no_room_are_kept_when_there_is_some(
    catalog: Catalog, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = AuditLog(catalog)
    log.write([event(1)])
    flush = os.fsync

    def full(file: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space") as told:
        log.write([event(2)])
    assert str(catalog.state) in str(told.value)
    assert log.owes
    monkeypatch.setattr(os, "fsync", flush)
    log.write([])
    assert not log.owes
    log.close()
    assert ids(catalog) == ["request-1", "request-2"]


def test_nothing_is_committed_for_an_empty_journal(catalog: Catalog) -> None:
    log = AuditLog(catalog)
    log.write([])
    log.turn()
    log.file()
    assert not log.journaled
    log.close()
    assert ids(catalog) == []


def test_what_cannot_be_filed_at_the_end_is_left_for_the_next(catalog: Catalog) -> None:
    log = AuditLog(catalog)
    log.write([event(1)])
    failpoints.arm("commit.before:audit_log", die=_no_room)
    log.close()
    failpoints.disarm()
    assert ids(catalog) == []
    AuditLog(catalog).close()
    assert ids(catalog) == ["request-1"]


def _no_room() -> None:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
