"""What the bank's figures assume, from configs/finance."""

from __future__ import annotations

from decimal import Decimal
from functools import cache

from pydantic import Field

from casper_ray.config_files import checked, configs_dir, load_mapping
from casper_ray.spec import Spec


class Outflows(Spec):
    """What money that went out would be under stress, in percent of what it was."""

    card_out: int = Field(ge=0)
    cash_out: int = Field(ge=0)
    transfers_out: int = Field(ge=0)


class Inflows(Spec):
    """What money that came in would be under stress, in percent of what it was."""

    card_in: int = Field(ge=0)
    cash_in: int = Field(ge=0)
    transfers_in: int = Field(ge=0)


class Liquidity(Spec):
    """Of the coverage ratio. opening_hqla: whole units of BASE_CURRENCY before the first day."""

    opening_hqla: int = Field(ge=0)
    window_days: int = Field(ge=1)
    inflow_cap_percent: int = Field(ge=0, le=100)
    outflow_percent: Outflows
    inflow_percent: Inflows


class Pnl(Spec):
    """Rates in whole basis points; fees in BASE_CURRENCY."""

    interchange_debit_bp: int = Field(ge=0)
    interchange_credit_bp: int = Field(ge=0)
    fx_margin_bp: int = Field(ge=0)
    credit_interest_bp: int = Field(ge=0)
    transfer_abroad_fee: Decimal = Field(ge=0, decimal_places=2)
    cash_abroad_fee: Decimal = Field(ge=0, decimal_places=2)
    chargeback_loss_bp: int = Field(ge=0, le=10_000)


class Assumptions(Spec):
    liquidity: Liquidity
    pnl: Pnl


@cache
def assumptions() -> Assumptions:
    """Those of configs/finance/bank.yml. Raises: ConfigError."""
    path = configs_dir() / "finance" / "bank.yml"
    return checked(Assumptions, load_mapping(path), str(path))
