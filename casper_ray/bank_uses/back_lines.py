"""A back-test as lines for a person."""

from __future__ import annotations

from casper_ray.bank_uses.back_test import BackResult
from casper_ray.bank_uses.columns import in_columns
from casper_ray.bank_uses.judgement import UNTOLD, Score
from casper_ray.console import figures
from casper_ray.domain.bank import BASE_CURRENCY

_SCORES = ("", "alerts", "crimes", f"value, {BASE_CURRENCY}", "false", "after", "precision", "recall", "F1")
_TYPOLOGIES = (
    "typology",
    "crimes",
    f"value, {BASE_CURRENCY}",
    "by A",
    "by B",
    "only A",
    "only B",
    "cases",
    "by A",
    "by B",
)


def back_lines(result: BackResult) -> list[str]:
    """Both sets side by side, then typology by typology."""
    a, b = result.order.rules
    names = {"a": f"A: {a}", "b": f"B: {b}", "both": "both", "only_a": "only A", "only_b": "only B"}
    told = result.judged
    untold = told.count(UNTOLD)
    return [
        f"days {result.days[0]} to {result.days[1] - 1} of {result.order.catalog}: {told.transactions:,} "
        f"transactions, {told.crimes:,} of them crimes, of {told.value:,.2f} {BASE_CURRENCY}",
        "",
        *in_columns(_SCORES, [_score(names[name], score) for name, score in result.scores().items()]),
        "",
        *in_columns(
            _TYPOLOGIES,
            [
                (
                    caught.typology,
                    f"{caught.crimes:,}",
                    f"{caught.value:,.2f}",
                    *(f"{n:,}" for n in (caught.a, caught.b, caught.only_a, caught.only_b)),
                    *(f"{n:,}" for n in (caught.cases, caught.cases_a, caught.cases_b)),
                )
                for caught in told.typologies()
            ],
        ),
        "",
        "An alert is a transaction. false: of honest ones; after: of what undoes a crime, such as its chargeback.",
        *(
            [f"{untold:,} transactions are not in the truth; alerts on them are not judged."]
            if untold
            else []
        ),
    ]


def _score(name: str, score: Score) -> tuple[str, ...]:
    rates = (score.precision, score.recall, score.f1)
    return (
        name,
        f"{score.alerts:,}",
        f"{score.caught:,}",
        f"{score.value:,.2f}",
        f"{score.false_positives:,}",
        f"{score.after:,}",
        *(figures.NONE if rate is None else f"{rate:.3f}" for rate in rates),
    )
