"""Room for one exchange, written down in the store before it is used."""

from types import TracebackType
from typing import TYPE_CHECKING, Self

import anyio

from ultracart_conversation._rest.admission import Admission
from ultracart_conversation._rest.budget_store import BudgetStore
from ultracart_conversation._rest.turnstile import Turnstile
from ultracart_conversation.clock import Clock
from ultracart_conversation.limits import Priority

if TYPE_CHECKING:
    from ultracart_conversation._rest.waiting_line import Ticket


class Ledger:
    """Loads what an earlier process used up, and saves what this one does."""

    def __init__(self, admission: Admission, clock: Clock, store: BudgetStore) -> None:
        self._admission = admission
        self._clock = clock
        self._store = store
        self._one_at_a_time = anyio.Lock()
        self._loaded = False

    async def load(self) -> None:
        """Restore the saved state, the first time."""
        if not self._loaded:
            async with self._one_at_a_time:
                await self._load()

    async def save(self) -> None:
        """Save the state as it is once it is this one's turn."""
        async with self._one_at_a_time:
            await self._store.save(self._admission.state(self._clock.now(), self._clock.time()))

    async def _load(self) -> None:
        if self._loaded:
            return
        state = await self._store.load()
        if state is not None:
            self._admission.restore(state, self._clock.now(), self._clock.time())
        self._loaded = True


class Slot:
    """Room for one exchange: ``async with budget.slot(priority) as slot: ...``."""

    __slots__ = ("_deadline", "_ledger", "_priority", "_ticket", "_turnstile", "_unsent")

    def __init__(
        self, turnstile: Turnstile, ledger: Ledger | None, *, priority: Priority, deadline: float | None
    ) -> None:
        self._turnstile = turnstile
        self._ledger = ledger
        self._priority = priority
        self._deadline = deadline
        self._ticket: Ticket | None = None
        self._unsent = False

    def unsent(self) -> None:
        """Say that nothing was sent (no connection, say): the tokens go back when the slot ends."""
        self._unsent = True

    async def __aenter__(self) -> Self:
        if self._ledger:
            await self._ledger.load()
        self._ticket = await self._turnstile.enter(self._priority, self._deadline)
        if self._ledger:
            await self._save_or_withdraw(self._ledger, self._ticket)
        return self

    async def __aexit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _traceback: TracebackType | None
    ) -> None:
        ticket, self._ticket = self._ticket, None
        if ticket and self._unsent:
            self._turnstile.withdraw(ticket)
        elif ticket:
            self._turnstile.leave(ticket)
        if self._ledger:
            await self._ledger.save()

    async def _save_or_withdraw(self, ledger: Ledger, ticket: "Ticket") -> None:
        try:
            await ledger.save()
        except BaseException:
            self._turnstile.withdraw(ticket)
            raise
