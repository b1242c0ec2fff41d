"""Tools: what an agent may ask, of its own case and as of the case's instant.

A tool answers many cases at once, and one case as a table of one row: what a model is told in a call is what the
policy reads in bulk. It is told of the case by the caller, never by the model, so a call cannot ask of another
instant; and an argument that names what is not the case's own is refused before anything is read.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl
from pydantic import BaseModel, ConfigDict, ValidationError

from casper_ray.agents.case import Case

_MOST_ARGUMENT_CHARS = 2_000


class Arguments(BaseModel):
    """Base of a tool's arguments: bounded, and nothing that is not declared."""

    model_config = ConfigDict(frozen=True, extra="forbid", str_max_length=200)


class Result(BaseModel):
    """Base of a tool's result. found: whether there was anything to tell; if not, the rest is null, counts are 0."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    found: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Tool:
    """One thing that can be asked. Declares; does nothing by itself.

    answer(store, asked):  one row per row of `asked`, in its order: the result's fields as columns. `asked` has the
                           columns of `CASES` and the arguments' fields. Reads only what was known by each row's `at`.
    own(store, cases):     one row per case, in order: the arguments' fields as the case itself gives them.
    allows(store, case, arguments): whether the case may ask with these arguments; None: only with its own.
    """

    name: str
    description: str
    arguments: type[Arguments]
    result: type[Result]
    answer: Callable[[Any, pl.DataFrame], pl.DataFrame]
    own: Callable[[Any, pl.DataFrame], pl.DataFrame]
    allows: Callable[[Any, Case, Mapping[str, Any]], bool] | None = None

    def described(self) -> dict[str, Any]:
        """Name, description, and JSON schemas of arguments and result: for lists, models and versions."""
        return {
            "name": self.name,
            "description": self.description,
            "arguments": self.arguments.model_json_schema(),
            "result": self.result.model_json_schema(),
        }


class ToolCall(BaseModel):
    """One call and what came of it. refused: why it was not answered; result is then None."""

    model_config = ConfigDict(frozen=True)

    tool: str
    arguments: dict[str, Any]
    result: dict[str, Any] | None = None
    refused: str | None = None


OTHER_CASE = "other_case"
NOT_GRANTED = "not_granted"
BAD_ARGUMENTS = "bad_arguments"


class Toolbox:
    """The tools that one case may use. Every call is kept in `calls`, refused ones too.

    For one thread at a time, unless the store's readers can be many.
    """

    def __init__(self, store: Any, case: Case, tools: Sequence[Tool]) -> None:
        self.case = case
        self.calls: list[ToolCall] = []
        self._store, self._frame = store, case.frame()
        self._tools = {tool.name: tool for tool in tools}

    @property
    def tools(self) -> tuple[Tool, ...]:
        return tuple(self._tools.values())

    def own_arguments(self, name: str) -> dict[str, Any]:
        """The arguments with which the case itself asks a tool."""
        return self._tools[name].own(self._store, self._frame).row(0, named=True)

    def call(self, name: str, arguments: Mapping[str, Any] | str | None = None) -> ToolCall:
        """One call, whatever was asked for: what cannot be answered is refused, nothing is raised.

        arguments: as a model gives them, JSON text too; none at all: the case's own.
        """
        call = self._called(name, arguments)
        self.calls.append(call)
        return call

    def _called(self, name: str, arguments: Mapping[str, Any] | str | None) -> ToolCall:
        tool = self._tools.get(name)
        if tool is None:
            return ToolCall(tool=name[:100], arguments={}, refused=NOT_GRANTED)
        own = self.own_arguments(name)
        try:
            given = self._checked(tool, arguments, own)
        except (ValidationError, ValueError, RecursionError):  # the last: JSON of many brackets
            return ToolCall(tool=name, arguments={}, refused=BAD_ARGUMENTS)
        if given != own:
            allowed = tool.allows is not None and tool.allows(self._store, self.case, given)
            if not allowed:
                return ToolCall(tool=name, arguments=given, refused=OTHER_CASE)
        asked = self._frame.with_columns(pl.Series(key, [value]) for key, value in given.items())
        row = tool.answer(self._store, asked).row(0, named=True)
        result = tool.result(**row).model_dump(mode="json")
        return ToolCall(tool=name, arguments=given, result=result)

    def _checked(
        self, tool: Tool, arguments: Mapping[str, Any] | str | None, own: dict[str, Any]
    ) -> dict[str, Any]:
        if arguments is None:
            return own
        if isinstance(arguments, str):
            if len(arguments) > _MOST_ARGUMENT_CHARS:
                raise ValueError("arguments are too long")
            arguments = json.loads(arguments or "{}")
        if arguments == {}:
            return own
        return tool.arguments.model_validate(arguments).model_dump()


def gathered(store: Any, tools: Sequence[Tool], cases: pl.DataFrame) -> pl.DataFrame:
    """What the tools answer to the cases' own arguments.

    Returns: one row per case, in order: the columns of `CASES`, and a struct per tool, by the tool's name.
    """
    columns = []
    for tool in tools:
        asked = pl.concat([cases, tool.own(store, cases)], how="horizontal")
        columns.append(tool.answer(store, asked).to_struct(tool.name))
    return cases.with_columns(columns)
