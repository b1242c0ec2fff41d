"""What one case may cost, and the meter that says when it is over."""

from __future__ import annotations

import time
from decimal import Decimal
from typing import Any

from pydantic import Field

from casper_ray.errors import CasperError
from casper_ray.spec import Spec

_THOUSAND = Decimal(1000)


class Budget(Spec):
    """Of one case. steps: requests to the model, a repair too. tool_calls: answered or refused. usd: US dollars."""

    steps: int = Field(default=8, ge=1, le=100)
    tool_calls: int = Field(default=24, ge=0, le=1000)
    tokens: int = Field(default=20_000, ge=1)
    seconds: float = Field(default=60.0, gt=0, le=3600)
    usd: Decimal = Field(default=Decimal("0.10"), ge=0)


class Prices(Spec):
    """US dollars per 1,000 tokens. 0: an endpoint of one's own."""

    prompt: Decimal = Field(default=Decimal(0), ge=0)
    completion: Decimal = Field(default=Decimal(0), ge=0)


class CaseFailedError(CasperError):
    """A case that gets no answer. failure: the word that its decision row gives as the reason."""

    def __init__(self, failure: str) -> None:
        super().__init__(failure)
        self.failure = failure


class Meter:
    """What one case has cost so far. Begins to run when it is made."""

    def __init__(self, budget: Budget, prices: Prices) -> None:
        self._budget, self._prices = budget, prices
        self._began = time.perf_counter()
        self.steps = self.tool_calls = self.prompt_tokens = self.completion_tokens = 0

    @property
    def usd(self) -> Decimal:
        prompt, completion = Decimal(self.prompt_tokens), Decimal(self.completion_tokens)
        return (prompt * self._prices.prompt + completion * self._prices.completion) / _THOUSAND

    def begin_step(self) -> None:
        """Raises: CaseFailedError where there is no step left."""
        if self.steps >= self._budget.steps:
            raise CaseFailedError("budget_steps")
        self.steps += 1

    def took(self, *, prompt_tokens: int, completion_tokens: int, tool_calls: int) -> None:
        """What a step came to. Raises: CaseFailedError where that was more than there was.

        The step that goes beyond fails too, whatever it answered: a budget is a bound, not a wish.
        """
        self.prompt_tokens += prompt_tokens
        self.completion_tokens += completion_tokens
        self.tool_calls += tool_calls
        if self.prompt_tokens + self.completion_tokens > self._budget.tokens:
            raise CaseFailedError("budget_tokens")
        if self.usd > self._budget.usd:
            raise CaseFailedError("budget_money")
        if self.tool_calls > self._budget.tool_calls:
            raise CaseFailedError("budget_tool_calls")

    def usage(self) -> dict[str, Any]:
        """For the decision row. usd as text: money is no float."""
        return {
            "steps": self.steps,
            "prompt_tokens": self.prompt_tokens,
            "completion_tokens": self.completion_tokens,
            "seconds": round(time.perf_counter() - self._began, 3),
            "usd": f"{self.usd:f}",
        }
