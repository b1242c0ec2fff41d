"""Every crime has the shape that its docstring tells, and its twin looks like it without being it."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from casper_ray.sim.bank.books import load_rates
from casper_ray.sim.bank.crimes import cycle, fan_in, fan_out, gather_scatter, structuring
from casper_ray.sim.bank.crimes.all import NAMES
from casper_ray.sim.bank.crimes.moments import DAY_MS, HOUR_MS
from casper_ray.sim.bank.parties import VARIANTS, PartyKind, bodies, is_own, kinds, owner
from casper_ray.sim.bank.rows import CREDIT, NONE, Channel, Kind, Rows

MINUTE_MS = HOUR_MS // 60


def of(rows: Rows, *wanted: Kind) -> Rows:
    return rows[np.isin(rows["kind"], wanted)]


def moments(rows: Rows) -> NDArray[np.int64]:
    return rows["day"].astype(np.int64) * DAY_MS + rows["ms"]


def in_euros(rows: Rows) -> NDArray[np.float64]:
    rates = np.array([rate.rate for rate in load_rates().rates])
    return rows["cents"] * rates[rows["currency"]] / 100


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


def check_mule_network(rows: Rows) -> None:
    enrolled, drawn = of(rows, Kind.ENROLMENT), of(rows, Kind.WITHDRAWAL)
    victims = set(enrolled["customer"])
    assert 2 <= len(victims) <= 3
    assert len(set(enrolled["device"])) == 1
    sent = of(rows, Kind.TRANSFER_OUT)
    taken = sent[np.isin(sent["customer"], list(victims))]
    mules = set(owner(taken["party"]))
    assert set(taken["device"]) == set(enrolled["device"])
    assert 2 <= len(mules) <= 4
    assert mules == set(drawn["customer"])
    for mule in mules:
        got = moments(taken[owner(taken["party"]) == mule]).min()
        assert 0 < moments(drawn[drawn["customer"] == mule]).min() - got <= 5 * HOUR_MS


def check_account_takeover(rows: Rows) -> None:
    assert rows["kind"].tolist() == [Kind.ENROLMENT, *[Kind.TRANSFER_OUT] * (len(rows) - 1)]
    assert 3 <= len(rows) <= 6
    assert len(set(rows["device"])) == 1
    assert not is_own(rows["party"][1:]).any()
    assert moments(rows)[-1] - moments(rows)[0] <= 8 * HOUR_MS


def check_card_testing(rows: Rows) -> None:
    tries = rows[moments(rows) - moments(rows)[0] <= 15 * MINUTE_MS]
    used = rows[len(tries) :]
    assert 6 <= len(set(tries["customer"])) <= 14
    assert len(set(tries["merchant"])) == len(set(rows["device"])) == 1
    assert (tries["channel"] == Channel.ONLINE).all()
    assert tries["insists"].all()
    assert (in_euros(tries) <= 4.51).all()
    assert 1 <= len(used) <= 3
    assert set(used["customer"]) <= set(tries["customer"])


def check_stolen_card(rows: Rows) -> None:
    bought = of(rows, Kind.PURCHASE)
    assert 4 <= len(bought) <= 9
    assert len(set(rows["customer"])) == len(set(bought["instrument"])) == 1
    assert (bought["channel"] != Channel.ONLINE).all()
    assert moments(rows)[-1] - moments(rows)[0] <= 7 * HOUR_MS
    assert rows["insists"][rows["kind"] == Kind.PURCHASE].all()


def check_compromised_merchant(rows: Rows) -> None:
    visits, misused = rows[rows["typology"] == 0], rows[rows["typology"] > 0]
    assert len(set(visits["merchant"])) == 1, "the common point of purchase"
    assert set(visits["customer"]) == set(misused["customer"])
    assert (misused["channel"] == Channel.ONLINE).all()
    assert moments(visits).max() < moments(misused).max()
    assert misused["day"].min() >= visits["day"].min() + 3
    assert all(
        len(set(misused["device"][misused["customer"] == who])) == 1 for who in set(misused["customer"])
    )


def check_app_scam(rows: Rows) -> None:
    assert (rows["kind"] == Kind.TRANSFER_OUT).all()
    assert 1 <= len(rows) <= 4
    assert len(set(rows["customer"])) == len(set(rows["party"])) == len(set(rows["device"])) == 1
    assert ((rows["cents"] > 0) != (rows["share"] > 0)).all()


def check_bust_out(rows: Rows) -> None:
    assert (rows["instrument"] == CREDIT).all()
    assert 9 <= len(rows) <= 16
    assert (rows["share"] < 0).sum() == 3
    assert lasts_days(rows) <= 10


def check_first_party_fraud(rows: Rows) -> None:
    assert 3 <= len(rows) <= 6
    assert (rows["channel"] == Channel.ONLINE).all()
    assert len(set(rows["device"])) == len(set(rows["lat"])) == 1, "the own device, at home"


def check_sanctions_evasion(rows: Rows) -> None:
    assert 1 <= len(rows) <= 3
    assert len(set(rows["party"])) == 1
    assert (kinds(rows["party"]) == PartyKind.LISTED).all()
    assert (bodies(rows["party"]) % VARIANTS > 0).all(), "never written as listed"


CHECKS: dict[str, Callable[[Rows], None]] = {
    name.removeprefix("check_"): check for name, check in list(globals().items()) if name.startswith("check_")
}


@pytest.mark.parametrize("name", NAMES)
def test_a_crime_has_its_shape(name: str, told: Any) -> None:
    for rows in told(name):
        CHECKS[name](rows)


def test_twins_differ_where_it_matters(told: Any) -> None:
    names = told("sanctions_evasion", twin=True)
    assert all((kinds(rows["party"]) == PartyKind.NAMESAKE).all() for rows in names)
    devices = told("card_testing", twin=True)
    assert all(len(set(rows["device"])) == len(set(rows["customer"])) for rows in devices)
    takings = np.concatenate(told("structuring", twin=True))
    assert (takings["cents"] >= 1_000_000).mean() > 0.1, "an honest person does not avoid the report"
    trips = told("stolen_card", twin=True)
    crimes = told("stolen_card")
    hours = [np.median([np.ptp(moments(rows)) for rows in cases]) / HOUR_MS for cases in (crimes, trips)]
    assert hours[0] < 4 < hours[1]


def test_a_name_as_listed_is_left_to_namesakes(told: Any) -> None:
    twins = np.concatenate(told("sanctions_evasion", twin=True, count=80))
    assert set(bodies(twins["party"]) % VARIANTS) == set(range(VARIANTS))


def test_those_paid_at_a_distance_are_told_with_a_place(told: Any) -> None:
    rows = np.concatenate(told("card_testing"))
    assert (rows["lat"] != 0).all()
    assert (rows["device"] != NONE).all()
