"""`casper`: every command under one name. What does the work is imported when a command runs."""

from __future__ import annotations

import typer

from casper_ray.agents.attacks.command import attack
from casper_ray.agents.stream.agents_command import app as agents_app
from casper_ray.agents.stream.decision_command import app as decision_app
from casper_ray.bank_uses.command import app as bank_app
from casper_ray.evals.command import champion, compare, register
from casper_ray.lakehouse.keys_command import app as keys_app
from casper_ray.main_job.command import sim
from casper_ray.main_job.complaints_command import app as complaints_app
from casper_ray.main_job.replay_command import app as replay_app
from casper_ray.medallion.command import app as medallion_app
from casper_ray.medallion.mend_command import app as lake_app
from casper_ray.medallion.report.command import app as quality_app
from casper_ray.serve.command import app as serve_app

app = typer.Typer(
    add_completion=False,
    pretty_exceptions_enable=False,
    no_args_is_help=True,
    help="Simulate a business, replay its events, keep a lakehouse of them exactly once.",
)
app.command()(sim)
app.add_typer(replay_app, name="replay")
app.add_typer(medallion_app, name="medallion")
app.add_typer(lake_app, name="lake")
app.add_typer(quality_app, name="quality")
app.add_typer(keys_app, name="keys")
app.add_typer(bank_app, name="bank")
app.add_typer(complaints_app, name="complaints")
for command in (attack, register, champion, compare):
    agents_app.command()(command)
app.add_typer(agents_app, name="agents")
app.add_typer(decision_app, name="decision")
app.add_typer(serve_app, name="serve")


def main() -> None:
    """The console script."""
    app(prog_name="casper")
