"""Faults of a scenario, as YAML. The truth is untouched by them."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import Field, model_validator

from casper_ray.spec import Spec

Kind = Literal["torn", "nul", "encoding", "huge", "nan", "duplicate_keys", "numbers_as_strings"]
KINDS: tuple[Kind, ...] = ("torn", "nul", "encoding", "huge", "nan", "duplicate_keys", "numbers_as_strings")
_TWO_WEEKS_MINUTES = 20_160


class Duplicates(Spec):
    """A share of the events is told once more, up to `minutes` after the first time."""

    rate: float = Field(gt=0, le=0.5)
    minutes: float = Field(default=60, gt=0, le=_TWO_WEEKS_MINUTES)


class Late(Spec):
    """A share of the events is told late, by at least and at most so many minutes."""

    rate: float = Field(gt=0, le=1)
    minutes: tuple[float, float]

    @model_validator(mode="after")
    def _rises(self) -> Self:
        if not 0 <= self.minutes[0] <= self.minutes[1] <= _TWO_WEEKS_MINUTES:
            raise ValueError(f"minutes must rise within 0-{_TWO_WEEKS_MINUTES}, saw {list(self.minutes)}")
        return self


class Shuffled(Spec):
    """Every event is told up to `minutes` late, each by a time of its own."""

    minutes: float = Field(gt=0, le=1440)


class ClockSkew(Spec):
    """Places' clocks are wrong: by `hours` (place -> hours), the others by up to `max_hours`, by lot.

    It shifts the time that events carry, not when they are told.
    """

    hours: dict[int | str, float] = Field(default_factory=dict)
    max_hours: float = Field(default=0, ge=0, le=1)

    @model_validator(mode="after")
    def _within_an_hour(self) -> Self:
        if wrong := {place: hours for place, hours in self.hours.items() if abs(hours) > 1}:
            raise ValueError(f"hours must be within -1 and 1, saw {wrong}")
        return self


class Malformed(Spec):
    """A share of the lines is broken; how, by lot among `kinds`. A huge line is one in a hundred of them at most."""

    rate: float = Field(gt=0, le=1)
    kinds: tuple[Kind, ...] = Field(default=KINDS, min_length=1)


class Change(Spec):
    """One change of a line's fields."""

    add: dict[str, str] = Field(default_factory=dict)
    drop: str | None = None
    rename: dict[str, str] = Field(default_factory=dict)
    retype: str | None = None

    @model_validator(mode="after")
    def _is_one(self) -> Self:
        if sum(map(bool, (self.add, self.drop, self.rename, self.retype))) != 1:
            raise ValueError("a change is one of add, drop, rename, retype")
        return self


class Drift(Spec):
    """From a day on, a share of the lines has other fields: one of the changes, by lot."""

    from_day: int = Field(default=0, ge=0)
    rate: float = Field(default=1.0, gt=0, le=1)
    changes: tuple[Change, ...] = Field(min_length=1)


class Files(Spec):
    """Shares of files: an empty one beside it; it is there in part first and grows with a later window; it comes
    under a second name too.
    """

    empty: float = Field(default=0, ge=0, le=1)
    growing: float = Field(default=0, ge=0, le=1)
    twice: float = Field(default=0, ge=0, le=1)


class Faults(Spec):
    """Every fault of a scenario; None: that one is not made."""

    duplicates: Duplicates | None = None
    late: Late | None = None
    shuffled: Shuffled | None = None
    clock_skew: ClockSkew | None = None
    malformed: Malformed | None = None
    drift: Drift | None = None
    files: Files | None = None

    @property
    def longest_delay_us(self) -> int:
        """How long after it happened an event is told at the latest."""
        minutes = 0.0
        minutes += self.shuffled.minutes if self.shuffled else 0
        minutes += self.late.minutes[1] if self.late else 0
        minutes += self.duplicates.minutes if self.duplicates else 0
        return int(minutes * 60_000_000)
