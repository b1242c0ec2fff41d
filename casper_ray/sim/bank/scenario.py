"""Scenarios of the bank, as YAML. They compose: `bank_baseline+mule_ring`."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Self

from pydantic import Field, model_validator

from casper_ray.config_files import configs_dir, load_mapping
from casper_ray.sim.compose import composed, content_digest, file_as_named, unknown_scenario
from casper_ray.sim.faults.spec import Faults
from casper_ray.spec import Spec

DEFAULT_DAYS = 90
DEFAULT_CUSTOMERS = 5_000


class Shock(Spec):
    """How people behave otherwise from the first to the last of `days`; factors rise over `ramp_days`.

    volume          factor on purchases
    cash            factor on withdrawals, number and amount
    price           factor on amounts
    unemployment    share of employees whose salary stays away
    online          factor on the share bought at a distance
    later_hours     by how much the day's hours move
    categories      factor on purchases of a category, by its code
    """

    name: str = Field(min_length=1)
    days: tuple[int, int]
    ramp_days: int = Field(default=0, ge=0)
    volume: float = Field(default=1.0, gt=0, le=20)
    cash: float = Field(default=1.0, gt=0, le=20)
    price: float = Field(default=1.0, gt=0, le=10)
    unemployment: float = Field(default=0.0, ge=0, le=1)
    online: float = Field(default=1.0, gt=0, le=10)
    later_hours: float = Field(default=0.0, ge=-6, le=6)
    categories: dict[str, float] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _days_rise(self) -> Self:
        if not 0 <= self.days[0] <= self.days[1]:
            raise ValueError(f"days must rise from 0, saw {list(self.days)}")
        return self


class Wave(Spec):
    """So many more cases of a typology, begun from the first to the last of `days`."""

    typology: str = Field(min_length=1)
    days: tuple[int, int]
    cases: int = Field(ge=1, le=100_000)

    @model_validator(mode="after")
    def _days_rise(self) -> Self:
        if not 0 <= self.days[0] <= self.days[1]:
            raise ValueError(f"days must rise from 0, saw {list(self.days)}")
        return self


class BankScenario(Spec):
    """What a bank's world is built for. Everything has a default: the empty scenario is the baseline.

    days             length of the dataset; may be overridden when a world is built
    customers        of the bank; generated in shards of `shard_customers`
    prevalence       crimes' share of the transactions
    twins            benign look-alikes begun for each case of a crime
    typologies       factor on how often a typology is dealt, by its name; 0: never
    waves, shocks    more crime, other behaviour
    faults           what goes wrong with the telling of it
    """

    name: str = Field(min_length=1)
    description: str = ""
    days: int = Field(default=DEFAULT_DAYS, ge=1, le=16_000)
    customers: int = Field(default=DEFAULT_CUSTOMERS, ge=100, le=100_000_000)
    shard_customers: int = Field(default=5_000, ge=100, le=100_000)
    prevalence: float = Field(default=0.001, ge=0, le=0.2)
    twins: float = Field(default=4.0, ge=0, le=50)
    typologies: dict[str, float] = Field(default_factory=dict)
    waves: tuple[Wave, ...] = ()
    shocks: tuple[Shock, ...] = ()
    faults: Faults | None = None

    @model_validator(mode="after")
    def _can_be_named(self) -> Self:
        if self.customers > self.shard_customers * 65_536:
            raise ValueError(
                f"{self.customers} customers are more than 65536 shards of {self.shard_customers}"
            )
        return self

    @property
    def shards(self) -> int:
        return -(-self.customers // self.shard_customers)

    def digest(self) -> str:
        """See `content_digest`."""
        return content_digest(self, self.faults)


def bank_scenario_names() -> tuple[str, ...]:
    """The built-in scenarios of the bank, sorted."""
    return tuple(sorted(path.stem for path in (configs_dir() / "scenarios" / "bank").glob("*.yml")))


def load_bank_scenario(names: str) -> BankScenario:
    """The scenario of a built-in name, of a .yml file, or of several joined with "+".

    Rules:  composed from left to right: scalars of the later win, lists are appended.
    Raises: ConfigError if a name is unknown, a key is unknown, or a value does not fit.
    """
    return composed(BankScenario, names, _path)


def _path(name: str) -> Path:
    """A scenario's file: a .yml file as named, one of the bank's, or one of the kitchen's that holds faults only."""
    if path := file_as_named(name):
        return path
    folder = configs_dir() / "scenarios"
    own = {path.stem: path for path in (folder / "bank").glob("*.yml")}
    shared = {path.stem: path for path in folder.glob("*.yml") if _is_of_faults(load_mapping(path))}
    known = shared | own
    if name in known:
        return known[name]
    raise unknown_scenario(name, sorted(known))


def _is_of_faults(raw: dict[str, Any]) -> bool:
    return "faults" in raw and raw.keys() <= {"name", "description", "faults"}
