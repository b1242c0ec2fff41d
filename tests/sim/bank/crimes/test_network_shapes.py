"""Every network of accounts, and every way with cash, has the shape that its docstring tells."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from casper_ray.sim.bank.crimes import cycle, fan_in, fan_out, gather_scatter, structuring
from casper_ray.sim.bank.crimes.all import PATTERNS
from casper_ray.sim.bank.crimes.moments import DAY_MS, HOUR_MS
from casper_ray.sim.bank.parties import is_own, owner
from casper_ray.sim.bank.rows import Kind, Rows


def of(rows: Rows, *wanted: Kind) -> Rows:
    return rows[np.isin(rows["kind"], wanted)]


def moments(rows: Rows) -> NDArray[np.int64]:
    return rows["day"].astype(np.int64) * DAY_MS + rows["ms"]


def lasts_days(rows: Rows) -> int:
    return int(rows["day"].max() - rows["day"].min()) + 1


def edges(rows: Rows) -> list[tuple[int, int]]:
    """(payer, payee) as accounts, in order of time, whichever side is ours; of others below 0."""
    pairs = []
    for row in of(rows, Kind.TRANSFER_OUT, Kind.TRANSFER_IN):
        party = row["party"].reshape(1)
        other = int(owner(party)[0]) if is_own(party)[0] else -int(party[0])
        own = int(row["customer"])
        pairs.append((own, other) if row["kind"] == Kind.TRANSFER_OUT else (other, own))
    return pairs


def one_hub(counts: dict[int, int], least: int) -> int:
    hub, most = max(counts.items(), key=lambda item: item[1])
    assert most >= least
    return hub


def counted(values: list[int]) -> dict[int, int]:
    return {value: values.count(value) for value in values}


def check_fan_in(rows: Rows) -> None:
    pairs = edges(rows)
    hub = one_hub(counted([payee for _, payee in pairs]), fan_in.PAYERS[0])
    payers = [payer for payer, payee in pairs if payee == hub]
    assert len(set(payers)) == len(payers) <= fan_in.PAYERS[1]
    assert pairs[-1][0] == hub, "the money goes on last of all"
    assert rows["share"][-1] == np.float32(0.9)
    assert moments(rows)[-1] - moments(rows)[-2] <= 30 * HOUR_MS


def check_fan_out(rows: Rows) -> None:
    pairs = edges(rows)
    hub = one_hub(counted([payer for payer, _ in pairs]), fan_out.PAYEES[0])
    payees = [payee for payer, payee in pairs if payer == hub]
    assert len(set(payees)) == len(payees) <= fan_out.PAYEES[1]
    out = of(rows, Kind.TRANSFER_OUT)["cents"].sum()
    assert rows["kind"][0] == Kind.TRANSFER_IN
    assert out / rows["cents"][0] == pytest.approx(1 - fan_out.MARGIN, abs=0.01)


def check_cycle(rows: Rows) -> None:
    pairs = edges(rows)
    assert cycle.MEMBERS[0] <= len(pairs) <= cycle.MEMBERS[1]
    assert all(before[1] == after[0] for before, after in pairwise(pairs))
    assert pairs[-1][1] == pairs[0][0], "it closes"
    assert (np.diff(rows["cents"]) < 0).all(), "everybody keeps a margin"


def check_scatter_gather(rows: Rows) -> None:
    pairs = edges(rows)
    source = pairs[0][1]
    helpers = {payee for payer, payee in pairs if payer == source}
    on = [(payer, payee) for payer, payee in pairs if payer in helpers]
    assert 5 <= len(helpers) == len(on) <= 10
    assert len({payee for _, payee in on}) == 1
    assert 270_000 <= rows["cents"][0] <= 300_000


def check_gather_scatter(rows: Rows) -> None:
    pairs = edges(rows)
    hub = one_hub(counted([payee for _, payee in pairs]), gather_scatter.MEMBERS[0])
    payers = {payer for payer, payee in pairs if payee == hub}
    payees = {payee for payer, payee in pairs if payer == hub}
    assert 7 <= len(payers) <= 11
    assert 7 <= len(payees) <= 11
    assert not payers & payees
    assert len(pairs) == len(payers) + len(payees)


def check_bipartite(rows: Rows) -> None:
    pairs = [pair for pair in edges(rows) if pair[0] >= 0]
    payers, payees = {pair[0] for pair in pairs}, {pair[1] for pair in pairs}
    assert 3 <= len(payers) <= 5
    assert 3 <= len(payees) <= 4
    assert not payers & payees
    assert len(set(pairs)) == len(pairs) >= 2 * len(payers)
    funds = of(rows, Kind.TRANSFER_IN)
    assert set(funds["customer"]) == payers
    out = of(rows, Kind.TRANSFER_OUT)["cents"].sum()
    assert out / funds["cents"].sum() == pytest.approx(0.9, abs=0.01)


def check_stack(rows: Rows) -> None:
    pairs = [pair for pair in edges(rows) if pair[0] >= 0]
    layer = set(of(rows, Kind.TRANSFER_IN)["customer"].tolist())
    depth = 0
    while layer:
        assert 2 <= len(layer) <= 4
        layer = {payee for payer, payee in pairs if payer in layer}
        depth += 1
    assert depth == 4, "four groups, three layers of payments"
    first_in, last_out = of(rows, Kind.TRANSFER_IN)["cents"].sum(), rows["cents"].sum()
    assert last_out == pytest.approx(first_in * (1 + 0.9 + 0.9**2 + 0.9**3), rel=0.01)


def check_structuring(rows: Rows) -> None:
    assert (rows["kind"] == Kind.DEPOSIT).all()
    assert 3 <= len(rows) <= 7
    assert len(set(rows["customer"])) == 1
    below = structuring.THRESHOLD_EUR * 100 - rows["cents"]
    assert ((below > 0) & (below <= structuring.MARGIN_EUR * 100)).all()
    assert lasts_days(rows) <= 15


def check_smurfing(rows: Rows) -> None:
    paid_in, sent = of(rows, Kind.DEPOSIT), of(rows, Kind.TRANSFER_OUT)
    smurfs = set(paid_in["customer"])
    assert 3 <= len(smurfs) <= 6
    assert set(sent["customer"]) == smurfs
    assert len(set(sent["party"])) == 1
    assert set(owner(sent["party"])).isdisjoint(smurfs)
    assert sent["cents"].sum() == pytest.approx(0.9 * paid_in["cents"].sum(), rel=0.03)
    assert (paid_in["cents"] < 1_000_000).all()


def check_layering(rows: Rows) -> None:
    pairs = edges(rows)
    assert 5 <= len(pairs) <= 8
    assert all(before[1] == after[0] for before, after in pairwise(pairs))
    assert pairs[0][0] < 0, "comes from elsewhere"
    assert pairs[-1][1] < 0, "and leaves"
    assert (np.diff(moments(rows)) <= 40 * HOUR_MS).all()


def check_funnel_account(rows: Rows) -> None:
    paid_in, drawn = of(rows, Kind.DEPOSIT), of(rows, Kind.WITHDRAWAL)
    assert len(set(rows["customer"])) == 1
    assert 5 <= len(paid_in) <= 9
    assert len(drawn) >= 1
    assert len(set(drawn["lat"] // 10**6)) <= 2, "drawn in one city"
    assert np.ptp(paid_in["lat"]) > 200_000, "paid in far apart"


def check_round_trip(rows: Rows) -> None:
    out, back = of(rows, Kind.TRANSFER_OUT), of(rows, Kind.TRANSFER_IN)
    assert 2 <= len(out) == len(back) <= 4
    assert len(set(out["party"])) == len(set(back["party"])) == 1
    assert out["party"][0] != back["party"][0]
    assert 0.84 < back["cents"].sum() / out["cents"].sum() < 0.96


CHECKS: dict[str, Callable[[Rows], None]] = {
    name.removeprefix("check_"): check for name, check in list(globals().items()) if name.startswith("check_")
}


@pytest.mark.parametrize("name", [pattern.name for pattern in PATTERNS if pattern.agent == "alert"])
def test_a_crime_has_its_shape(name: str, told: Any) -> None:
    cases = told(name)
    assert len(cases) > 10, "a check of nothing cannot fail"
    for rows in cases:
        CHECKS[name](rows)


def test_a_shopkeeper_does_not_avoid_the_report(told: Any) -> None:
    takings = np.concatenate(told("structuring", twin=True))
    assert (takings["cents"] >= 1_000_000).mean() > 0.1


def test_a_club_passes_on_less_and_later(told: Any) -> None:
    waits = [
        np.median([np.diff(moments(rows))[-1] for rows in told("fan_in", twin)]) for twin in (False, True)
    ]
    assert waits[0] < waits[1]
