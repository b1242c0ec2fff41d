"""A learnt baseline: gradient-boosted trees on what was known before each transaction. Needs scikit-learn."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import polars as pl
from numpy.typing import NDArray
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.metrics import average_precision_score

from casper_ray.sim.bank.crimes.all import NAMES
from casper_ray.sim.bank.realism.as_of import FEATURES
from casper_ray.sim.bank.realism.transactions import is_decided
from casper_ray.sim.bank.streams import Floats

_MODELS = 5
_SLICES = 6
_SHAPE = {
    "learning_rate": 0.06,
    "max_iter": 120,
    "max_leaf_nodes": 8,
    "min_samples_leaf": 10,
    "l2_regularization": 2.0,
    "max_features": 0.5,
}


class Learnt(NamedTuple):
    """What the baseline reaches on the days that it has not seen.

    pr_auc         mean precision over all recalls
    crimes         crimes' transactions: how many it learnt from, and how many there were to find
    recall         of as many alarms as there are crimes: the share of crimes among them
    twins          of the false ones among those alarms the share that are benign twins' transactions
    by_typology    crimes found and crimes to be found, by name
    """

    pr_auc: float
    crimes: tuple[int, int]
    recall: float
    twins: float
    by_typology: dict[str, tuple[int, int]]


def learnt_baseline(frame: pl.DataFrame, train_days: int) -> Learnt:
    """Trees learnt from the first days of `as_of`, judged on the days after them.

    Rules: five models, each of all crimes and its own sixth of the rest, are averaged: with a few hundred crimes
           among hundreds of thousands of rows a single model is a matter of luck.
    """
    rows = frame.filter(is_decided(frame))
    known, crime = _matrix(rows), rows["is_crime"].to_numpy()
    past = (rows["day"] < train_days).to_numpy()
    score = _score(known[past], crime[past], known[~past])
    return _judged(rows.filter(~past), score, int(crime[past].sum()))


def _score(known: Floats, crime: NDArray[np.bool_], asked: Floats) -> Floats:
    part = np.random.default_rng(0).integers(0, _SLICES, len(crime))
    total = np.zeros(len(asked))
    for number in range(_MODELS):
        rows = crime | (part == number)
        model = HistGradientBoostingClassifier(random_state=number, early_stopping=False, **_SHAPE)
        total += model.fit(known[rows], crime[rows]).predict_proba(asked)[:, 1]
    return total / _MODELS


def _judged(rows: pl.DataFrame, score: Floats, learnt_from: int) -> Learnt:
    crime, typology = rows["is_crime"].to_numpy(), rows["typology"].to_numpy()
    wanted = int(crime.sum())
    alarm = np.zeros(len(score), dtype=np.bool_)
    alarm[np.argsort(-score, kind="stable")[:wanted]] = True
    false = alarm & ~crime
    found = np.bincount(typology[alarm & crime], minlength=len(NAMES) + 1)
    all_of = np.bincount(typology[crime], minlength=len(NAMES) + 1)
    return Learnt(
        pr_auc=float(average_precision_score(crime, score)),
        crimes=(learnt_from, wanted),
        recall=float((alarm & crime).sum() / wanted),
        twins=float(rows["is_twin"].to_numpy()[false].mean()) if false.any() else 0.0,
        by_typology={name: (int(found[code]), int(all_of[code])) for code, name in enumerate(NAMES, 1)},
    )


def _matrix(rows: pl.DataFrame) -> Floats:
    floats = rows.select(pl.col(FEATURES).cast(pl.Float64)).fill_null(float("nan"))
    return floats.to_numpy()
