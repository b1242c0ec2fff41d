"""Settings of signs that several of the bank's agents look for."""

from __future__ import annotations

from pydantic import Field

from casper_ray.spec import Spec


class Signs(Spec):
    """shared_accounts: that paid from a device. many_parties_7d: payers or payees. passed_on: percent, from, to."""

    enrolled_lately_h: int = Field(ge=0)
    shared_accounts: int = Field(ge=1)
    many_parties_7d: int = Field(ge=1)
    passed_on: tuple[int, int]
