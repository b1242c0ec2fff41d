"""All typologies, in a fixed order: the code of one in a row is its place here, counted from 1."""

from __future__ import annotations

from casper_ray.sim.bank.crimes import (
    account_takeover,
    app_scam,
    bipartite,
    bust_out,
    card_testing,
    compromised_merchant,
    cycle,
    fan_in,
    fan_out,
    first_party_fraud,
    funnel_account,
    gather_scatter,
    layering,
    mule_network,
    round_trip,
    sanctions_evasion,
    scatter_gather,
    smurfing,
    stack,
    stolen_card,
    structuring,
)
from casper_ray.sim.bank.crimes.pattern import Pattern

PATTERNS: tuple[Pattern, ...] = (
    fan_in.PATTERN,
    fan_out.PATTERN,
    cycle.PATTERN,
    scatter_gather.PATTERN,
    gather_scatter.PATTERN,
    bipartite.PATTERN,
    stack.PATTERN,
    structuring.PATTERN,
    smurfing.PATTERN,
    layering.PATTERN,
    funnel_account.PATTERN,
    round_trip.PATTERN,
    mule_network.PATTERN,
    account_takeover.PATTERN,
    card_testing.PATTERN,
    stolen_card.PATTERN,
    compromised_merchant.PATTERN,
    app_scam.PATTERN,
    bust_out.PATTERN,
    first_party_fraud.PATTERN,
    sanctions_evasion.PATTERN,
)

NAMES: tuple[str, ...] = tuple(pattern.name for pattern in PATTERNS)


def code_of(pattern: int) -> int:
    """What stands in a row's `typology` or `twin` for the pattern of that index."""
    return pattern + 1
