"""Measures the default world and prints the figures of docs/reference/bank-world.md.

    python -m casper_ray.sim.bank.realism [SEED ...]

The first seed's world in full (42 if none is given), of the others what tells crimes apart. Needs scikit-learn, which
the extra `test` installs.
"""

from __future__ import annotations

import argparse
from time import perf_counter

from casper_ray.sim.bank.realism.as_of import as_of
from casper_ray.sim.bank.realism.baseline import learnt_baseline
from casper_ray.sim.bank.realism.figures import measured, out_of_bounds
from casper_ray.sim.bank.realism.page import columns_section, measured_section, typologies_section
from casper_ray.sim.bank.realism.separation import column_aucs
from casper_ray.sim.bank.realism.transactions import transactions
from casper_ray.sim.bank.scenario import load_bank_scenario
from casper_ray.sim.bank.world import BankWorld

TRAIN_DAYS = 60


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m casper_ray.sim.bank.realism", description=__doc__)
    parser.add_argument("seeds", metavar="SEED", type=int, nargs="*", default=[42])
    seeds: list[int] = parser.parse_args().seeds
    rows = []
    for seed in seeds:
        start = perf_counter()
        frame = as_of(transactions(BankWorld.build(load_bank_scenario("bank_baseline"), seed)))
        found, aucs, learnt = measured(frame), column_aucs(frame), learnt_baseline(frame, TRAIN_DAYS)
        seconds = perf_counter() - start
        if seed == seeds[0]:
            print(measured_section(frame, found, learnt), end="\n\n")
            print(columns_section(aucs), end="\n\n")
            print(typologies_section(frame, learnt), end="\n\n")
        column = next(iter(aucs))
        outside = "; ".join(out_of_bounds(found)) or "none"
        rows.append(
            f"| {seed} | {frame.height:,} | {found['crimes in 1,000 transactions']:.2f} "
            f"| `{column}` {aucs[column]:.3f} "
            f"| {found['best rule by amount alone, F1']:.3f} | {learnt.crimes[0]}, {learnt.crimes[1]} "
            f"| {learnt.pr_auc:.3f} | {learnt.recall:.2f} | {learnt.twins:.2f} | {outside} | {seconds:.0f} |"
        )
    print(
        "| seed | rows | crimes in 1,000 | best column, AUC | amount rule, F1 | crimes learnt from, to find ",
        end="",
    )
    print("| PR-AUC | recall | twins among false alarms | out of bounds | seconds |")
    print("|---:|---:|---:|---|---:|---:|---:|---:|---:|---|---:|")
    print("\n".join(rows))


if __name__ == "__main__":
    main()
