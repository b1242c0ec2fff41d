"""Files and reasons with the most refused rows."""

from __future__ import annotations

from quality_samples import evidence, refused

from casper_ray.medallion.report.offenders import Reason, ReasonFigures, worst_files, worst_reasons

QUARANTINE = evidence(
    [],
    [],
    [
        refused(1, "a.json"),
        refused(3, "b.json", rule="price"),
        refused(2, "b.json", rule="price", reason="orders: price: not price > 0"),
        refused(2, "b.json"),
        refused(1, "c.json", table=None, reason=None),
    ],
).quarantine


def test_files_come_worst_first_with_their_reasons() -> None:
    first, second, third = worst_files(QUARANTINE, 9)
    assert first == ("b.json", 3, 3, (Reason("price", 2), Reason("not JSON", 1)))
    assert (second.source_file, third.source_file) == ("a.json", "c.json")
    assert worst_files(QUARANTINE, 1) == [first]


def test_a_file_has_its_three_greatest_reasons_and_all_its_rows() -> None:
    rows = [refused(1, "a.json", reason=f"r{n}") for n in range(5) for _ in range(n + 1)]
    (file,) = worst_files(evidence([], [], rows).quarantine, 9)
    assert (file.rows, [reason.label for reason in file.reasons]) == (15, ["r4", "r3", "r2"])


def test_a_file_without_a_name_is_said_to_have_none() -> None:
    (file,) = worst_files(evidence([], [], [refused(1, None)]).quarantine, 9)  # type: ignore[arg-type]  # no name
    assert file.source_file == "(unknown)"


def test_reasons_come_worst_first_a_rule_by_its_name() -> None:
    assert worst_reasons(QUARANTINE, 9) == [
        ReasonFigures("not JSON", "orders", 2, 2),
        ReasonFigures("price", "orders", 2, 1),
        ReasonFigures("no reason given", None, 1, 1),
    ]
    assert len(worst_reasons(QUARANTINE, 2)) == 2


def test_an_empty_quarantine_has_no_offenders() -> None:
    assert worst_files(QUARANTINE.clear(), 9) == []
    assert worst_reasons(QUARANTINE.clear(), 9) == []
