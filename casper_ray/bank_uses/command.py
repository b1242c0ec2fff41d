"""`casper bank`: what a bank does with a replay."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from casper_ray.config import DEFAULT_CATALOGS, DEFAULT_LAKE, load_environment
from casper_ray.console.lines import write_line
from casper_ray.console.run_command import run_command

_BANK = DEFAULT_CATALOGS["bank"]
_DIFFERENT = 1

app = typer.Typer(
    add_completion=False,
    pretty_exceptions_enable=False,
    no_args_is_help=True,
    help="What a bank does with a replay: recover, test rules on history, stress.",
)

_Lake = Annotated[str, typer.Option(help="Folder of the lake.")]
_Catalog = Annotated[str, typer.Option(help="Catalog of the bank in the lake.")]
_Json = Annotated[bool, typer.Option("--json", help="One JSON object on stdout.")]


@app.command("dr-test")
def dr_test(
    day: Annotated[int, typer.Option(help="Day of the dataset, from 0, that has been replayed.")],
    lake: _Lake = DEFAULT_LAKE,
    catalog: _Catalog = _BANK,
    target_catalog: Annotated[
        str, typer.Option(help="Catalog to rebuild in; must not be there yet.")
    ] = "bank_dr",
    keep: Annotated[bool, typer.Option("--keep", help="Leave the target catalog when done.")] = False,
    as_json: _Json = False,
) -> None:
    """Rebuild a day from the volumes alone in another catalog, and compare Silver and Gold row by row.

    Exits with 1 where anything differs. The catalog itself is only read.
    """

    def action() -> int:
        from casper_ray.bank_uses.dr_lines import dr_lines
        from casper_ray.bank_uses.dr_test import DrOrder, run_dr_test
        from casper_ray.bank_uses.dr_test import as_json as told_json
        from casper_ray.console.json_lines import write_object

        order = DrOrder(lake=lake, catalog=catalog, target=target_catalog, day=day, keep=keep)
        result = run_dr_test(order, load_environment(), _told)
        if as_json:
            write_object(sys.stdout, told_json(result))
        else:
            write_line(sys.stdout, "\n".join(dr_lines(result)))
        return 0 if result.equal else _DIFFERENT

    raise typer.Exit(run_command(action, as_json=as_json))


@app.command("back-test")
def back_test(
    rules: Annotated[
        tuple[str, str], typer.Option(help="Two rule sets: names in configs/rules, or .yml files.")
    ],
    lake: _Lake = DEFAULT_LAKE,
    catalog: _Catalog = _BANK,
    from_day: Annotated[int, typer.Option(help="First day of the dataset to look at.")] = 0,
    until_day: Annotated[
        int | None,
        typer.Option(help="Up to, but without, this day.", show_default="all that was replayed"),
    ] = None,
    as_json: _Json = False,
) -> None:
    """History through two rule sets: who alerts on what, what is caught, what is a false alarm.

    The only command that reads the truth: it evaluates.
    """

    def action() -> int:
        from casper_ray.bank_uses.back_lines import back_lines
        from casper_ray.bank_uses.back_test import BackOrder, run_back_test
        from casper_ray.bank_uses.back_test import as_json as told_json
        from casper_ray.console.json_lines import write_object

        order = BackOrder(lake=lake, catalog=catalog, rules=rules, from_day=from_day, until_day=until_day)
        result = run_back_test(order, _told)
        if as_json:
            write_object(sys.stdout, told_json(result))
        else:
            write_line(sys.stdout, "\n".join(back_lines(result)))
        return 0

    raise typer.Exit(run_command(action, as_json=as_json))


@app.command()
def stress(
    scenario: Annotated[
        str, typer.Option(help="Scenario of the bank, its .yml file, or several joined by +.")
    ],
    days: Annotated[int | None, typer.Option(help="Days to simulate.", show_default="the scenario's")] = None,
    customers: Annotated[
        int | None, typer.Option(help="Customers of the bank.", show_default="the scenario's")
    ] = None,
    seed: Annotated[int, typer.Option(help="Seed of both worlds.")] = 42,
    chart: Annotated[Path | None, typer.Option(help="Write an HTML page with charts to this file.")] = None,
    as_json: _Json = False,
) -> None:
    """A scenario's days beside the same days without it: liquidity and losses. Needs no lake."""

    def action() -> int:
        from casper_ray.bank_uses.stress import StressOrder, run_stress
        from casper_ray.bank_uses.stress import as_json as told_json
        from casper_ray.bank_uses.stress_lines import stress_lines
        from casper_ray.console.json_lines import write_object

        order = StressOrder(scenario=scenario, days=days, customers=customers, seed=seed)
        result = run_stress(order, _told)
        if chart is not None:
            from casper_ray.bank_uses.stress_chart import write_chart

            _told(write_chart(result, chart))
        if as_json:
            write_object(sys.stdout, told_json(result))
        else:
            write_line(sys.stdout, "\n".join(stress_lines(result)))
        return 0

    raise typer.Exit(run_command(action, as_json=as_json))


def _told(text: str) -> None:
    """How far it is: beside the answer, not in it."""
    write_line(sys.stderr, text)
