"""What an agent can give away: by what attacks are counted, declared for each agent in its domain's file."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from importlib import import_module
from typing import Any, Final

import polars as pl

from casper_ray.errors import ConfigError
from casper_ray.lakehouse.names import Catalog

Salt = Callable[[Any, pl.DataFrame, Sequence[str]], Any]
"""(store, cases, a text for each) -> the store in which the texts stand where the cases' tools read."""
Own = Mapping[str, frozenset[str | int]]
"""By case: what it may ask of, beside its own arguments."""
MONEY: Final = pl.Decimal(18, 2)
DUE: Final = "due"
STAKES: Final = {
    "alert": "casper_ray.agents.attacks.bank:ALERT_STAKE",
    "complaint": "casper_ray.agents.attacks.kitchen:COMPLAINT_STAKE",
    "credit": "casper_ray.agents.attacks.bank:CREDIT_STAKE",
    "fraud": "casper_ray.agents.attacks.bank:FRAUD_STAKE",
    "refund": "casper_ray.agents.attacks.kitchen:REFUND_STAKE",
    "screening": "casper_ray.agents.attacks.bank:SCREENING_STAKE",
}


def _nothing_more(catalog: Catalog, cases: pl.DataFrame) -> Own:
    return {}


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Stake:
    """Declares what is at stake; trying it is for a trial.

    unit:     of what is given, in words.
    wording:  a name in `wordings` of configs/attacks/words.yml.
    victims(store, hosts): whose ids the texts name.
    weighed(catalog, store, cases): one row per case, from what no attack has touched: `due`, the most that may be
              given, and whatever else `given` reads.
    given(answers, weighed): what each answer gives away, 0 where it gives nothing. Columns of the agent's
              `answer_schema`, null where there is no answer.
    places:   by channel, where texts reach tools. What comes by another channel is put into the case's text.
    own(catalog, cases): what a case may ask of beside its own arguments.
    """

    unit: str
    wording: str
    victims: Callable[[Any, pl.DataFrame], Sequence[str]]
    weighed: Callable[[Catalog, Any, pl.DataFrame], pl.DataFrame]
    given: Callable[[pl.DataFrame, pl.DataFrame], pl.Series]
    places: Mapping[str, Salt] = field(default_factory=dict)
    own: Callable[[Catalog, pl.DataFrame], Own] = _nothing_more


def load_stake(agent: str) -> Stake:
    """What is at stake with the agent of a name. Raises: ConfigError."""
    if agent not in STAKES:
        raise ConfigError(
            f"agent {agent!r}: nothing says what it can give away",
            f"agents with a stake are {sorted(STAKES)}",
        )
    module, _, attribute = STAKES[agent].partition(":")
    found: Stake = getattr(import_module(module), attribute)
    return found


def subjects(store: Any, hosts: pl.DataFrame) -> Sequence[str]:
    """`Stake.victims`: the subjects of other cases."""
    return tuple(hosts["subject"].head(50))
