"""Errors survive the way out of a worker, and read as one line."""

from __future__ import annotations

import importlib
import inspect
import pickle
import pkgutil
import typing
from collections.abc import Mapping
from typing import Any

import pytest

import casper_ray
from casper_ray.errors import CasperError, ConfigError, LeaseHeldError, SchemaError, UserError

_SAMPLES: dict[Any, Any] = {
    str: "volume 'events'",
    int: 7,
    float: 1.5,
    float | None: 1.5,
    Mapping[str, str] | None: {"Retry-After": "2"},
}


_WITH_VLLM = "casper_ray.serve.llm.server"
"""Imported by a model's replica alone, where vLLM is installed; it declares no errors."""


def _import_all() -> None:
    for module in pkgutil.walk_packages(casper_ray.__path__, "casper_ray."):
        if not module.name.endswith("__main__") and module.name != _WITH_VLLM:
            importlib.import_module(module.name)


def _family(base: type[CasperError]) -> list[type[CasperError]]:
    return [base, *(kind for child in base.__subclasses__() for kind in _family(child))]


def _ours() -> list[type[CasperError]]:
    _import_all()
    return [kind for kind in dict.fromkeys(_family(CasperError)) if kind.__module__.startswith("casper_ray.")]


def _example(kind: type[CasperError]) -> CasperError:
    """An instance with every argument given: one of each annotated type, "text" for classes without a signature."""
    if kind.__init__ is Exception.__init__:
        return kind("some text")
    hints = typing.get_type_hints(kind.__init__)
    names = [name for name in inspect.signature(kind.__init__).parameters if name != "self"]
    return kind(*(_SAMPLES[hints[name]] for name in names))


def test_the_family_holds_the_errors_of_every_room() -> None:
    names = {kind.__name__ for kind in _ours()}
    assert {"UserError", "LakeError", "DataError", "CommitConflictError", "RetryLater"} <= names
    assert "PipelineError" in names


@pytest.mark.parametrize("kind", _ours(), ids=lambda kind: kind.__name__)
def test_an_error_survives_a_pickle_round_trip(kind: type[CasperError]) -> None:
    error = _example(kind)
    back = pickle.loads(pickle.dumps(error))
    assert type(back) is type(error)
    assert back.args == error.args
    assert vars(back) == vars(error)
    assert str(back) == str(error)


@pytest.mark.parametrize("kind", _ours(), ids=lambda kind: kind.__name__)
def test_an_error_is_one_line_that_says_something(kind: type[CasperError]) -> None:
    told = str(_example(kind))
    assert told.strip()
    assert "\n" not in told


@pytest.mark.parametrize("kind", _ours(), ids=lambda kind: kind.__name__)
def test_an_error_takes_positional_arguments_only(kind: type[CasperError]) -> None:
    parameters = inspect.signature(kind.__init__).parameters.values()
    assert not [p.name for p in parameters if p.kind is inspect.Parameter.KEYWORD_ONLY]


def test_a_user_error_ends_with_its_hint() -> None:
    assert str(UserError("lake x: is not there", "make it")) == "lake x: is not there. Hint: make it"


def test_a_user_error_without_a_hint_is_what_happened() -> None:
    assert str(UserError("lake x: is not there")) == "lake x: is not there"


def test_unknown_keys_are_told_with_those_that_are_known() -> None:
    told = str(ConfigError.unknown_keys("replay", {"speeed", "day"}, {"speed", "days"}))
    assert told == "replay: unknown keys ['day', 'speeed']. Hint: known keys are ['days', 'speed']"


def test_missing_columns_are_told_with_those_that_are_there() -> None:
    told = str(SchemaError.missing_columns("bronze", {"ts"}, ["event_id"]))
    assert told.startswith("bronze: missing ['ts']; has ['event_id']. Hint: ")


def test_a_held_lease_keeps_the_holders_pid_through_a_pickle() -> None:
    back = pickle.loads(pickle.dumps(LeaseHeldError("lake x", "wait", 42)))
    assert back.holder_pid == 42
    assert str(back) == "lake x. Hint: wait"
