"""A deployment that fails is told in one line: the error that a person can act on, not Ray's around it."""

from __future__ import annotations

from casper_ray.errors import CasperError, UserError
from casper_ray.serve.deploy import failure_in

OURS = """The deployment failed to start 3 times in a row. This may be due to a problem with its constructor. Error:
\x1b[36mray::ServeReplica:casper:Keeper.initialize_and_get_metadata()\x1b[39m (pid=1, ip=127.0.0.1)
  File "replica.py", line 1, in initialize
    raise RuntimeError(traceback.format_exc()) from None
RuntimeError: Traceback (most recent call last):
  File "lease.py", line 100, in _refuse
    raise LeaseHeldError(
casper_ray.errors.LeaseHeldError: lake /l, catalog c: held by process 7. Hint: wait for it
"""


def test_error_of_ours_keeps_its_words_and_its_exit_code() -> None:
    found = failure_in(OURS, "Keeper")
    assert isinstance(found, UserError)
    assert str(found) == "lake /l, catalog c: held by process 7. Hint: wait for it"


def test_error_of_others_is_told_with_its_deployment() -> None:
    found = failure_in(OURS.replace("casper_ray.errors.LeaseHeldError", "KeyError"), "Keeper")
    assert type(found) is CasperError
    assert str(found).startswith("Keeper: KeyError: lake /l")


def test_text_without_an_error_is_told_as_it_is() -> None:
    assert str(failure_in("Replica\nis slow", "Door")) == "Door: Replica is slow"


def test_line_has_an_end() -> None:
    assert len(str(failure_in("ValueError: " + "x" * 10_000, "Door"))) < 500
