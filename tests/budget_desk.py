"""Callers of one budget, written down: who was let through, who was refused, and when."""

import anyio
import pytest
from anyio.abc import TaskGroup

from tests.virtual_clock import VirtualClock, settle
from ultracart_conversation._rest.budget import Budget, WouldPassDeadline
from ultracart_conversation.limits import Limits, Priority

ONE_AT_A_TIME = Limits(per_hour=None, per_day=None)
"""No windows: only the place among the exchanges in flight is short."""

SIX_MINUTES = 1.001 * 360
"""What `TEN_AN_HOUR` makes a second request wait."""

TEN_AN_HOUR = Limits(per_hour=10, per_day=None)
"""One request at once, then one every six minutes and a little."""

STUCK = 20.0
"""Real seconds after which a caller that never gets its slot fails the test."""


async def refusal(budget: Budget, *, deadline: float) -> WouldPassDeadline:
    """How a slot that cannot be had before the deadline is refused."""
    with anyio.fail_after(STUCK), pytest.raises(WouldPassDeadline) as refused:
        await budget.slot(deadline=deadline).__aenter__()
    return refused.value


class Desk:
    """Takes slots in tasks of its own; times are virtual seconds since it opened."""

    def __init__(self, budget: Budget, clock: VirtualClock, group: TaskGroup) -> None:
        self.begun: dict[str, float] = {}
        self.refused: dict[str, WouldPassDeadline] = {}
        self._budget, self._clock, self._group = budget, clock, group
        self._opened = clock.now()

    async def ask(
        self,
        name: str,
        priority: Priority = Priority.READ,
        *,
        exchange: float = 0.0,
        deadline: float | None = None,
    ) -> anyio.CancelScope:
        """Ask for a slot, and return the scope of the task once that waits, runs or is done."""
        scope = anyio.CancelScope()
        self._group.start_soon(self._use, name, priority, exchange, deadline, scope)
        await settle()
        return scope

    async def _use(
        self, name: str, priority: Priority, exchange: float, deadline: float | None, scope: anyio.CancelScope
    ) -> None:
        absolute = None if deadline is None else self._opened + deadline
        with anyio.fail_after(STUCK), scope:
            try:
                async with self._budget.slot(priority, deadline=absolute):
                    self.begun[name] = self._clock.now() - self._opened
                    await self._clock.sleep(exchange)
            except WouldPassDeadline as refusal:
                self.refused[name] = refusal
