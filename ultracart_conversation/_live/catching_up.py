"""The task that reads by REST what was not pushed: sweeps of the list, and conversations whose time has come."""

import logging
import random
from collections.abc import Callable, Iterable
from math import inf
from typing import Protocol

import anyio

from ultracart_conversation._live.deliveries import Delivery, Moment
from ultracart_conversation._live.intake import Intake
from ultracart_conversation._live.timing import wait_at_most
from ultracart_conversation._sync.gap import GapReading
from ultracart_conversation._sync.setbacks import Setbacks
from ultracart_conversation.client import ConversationClient, carry_out
from ultracart_conversation.config import Sweeping
from ultracart_conversation.errors import (
    ApplicationDisabled,
    AuthenticationError,
    ConfigurationError,
    NotFound,
    PermissionDenied,
    RateLimited,
    TransportError,
    UltraCartError,
)
from ultracart_conversation.limits import Priority
from ultracart_conversation.models import ConversationSummary

_logger = logging.getLogger("ultracart_conversation.session")
_FATAL = (ApplicationDisabled, AuthenticationError, ConfigurationError)
_LONGEST_PAUSE = 60.0
_SERVICE_AWAY = (TransportError, RateLimited)
"""Errors that say nothing of the conversation that was read: everything else would fail likewise."""


class Receiver(Protocol):
    """What the session does with what was read."""

    def moment(self) -> Moment:
        """Now."""
        ...

    def deliver(self, deliveries: Iterable[Delivery], /) -> None:
        """Hand events to the consumers."""
        ...

    def was_read(self, reading: GapReading, began: float, /) -> None:
        """A conversation was read; `began` is when, by the clock."""
        ...

    def caught_up(self, generation: int, /) -> None:
        """The first sweep of this connection is over."""
        ...

    def deaf(self) -> None:
        """The websocket in use brings nothing although there is something."""
        ...


class CatchingUp:
    """Reads what was missed, one request after the other.

    A sweep that fails because the service is away is made again later; a conversation that alone cannot be read is
    reported and does not stop the others.
    """

    def __init__(
        self,
        client: ConversationClient,
        intake: Intake,
        receiver: Receiver,
        *,
        sweeping: Sweeping,
        draw: Callable[[], float] = random.random,
    ) -> None:
        self.sweeps: int = 0
        """How many were made."""
        self._gap_client = client.with_options(priority=Priority.GAP)
        self._tail_client = client.with_options(priority=Priority.TAIL)
        self._clock = client.clock
        self._intake = intake
        self._receiver = receiver
        self._sweeping = sweeping
        self._draw = draw
        self._sweep_at = inf
        self._owed_generation = 0
        self._setbacks = Setbacks("catching up", _logger, longest=_LONGEST_PAUSE)
        self._woken = anyio.Event()
        self._waits_until = inf

    def opened(self, generation: int) -> None:
        """A new websocket is open: sweep now."""
        self._owed_generation = generation
        self._sweep_at = -inf
        self.wake()

    def lost(self) -> None:
        """The websocket is gone: a sweep that is under way closes no gap, as more may be missing since it began."""
        self._owed_generation = 0
        self._sweep_at = max(self._sweep_at, self._clock.now() + self._sweeping.interval)

    def wake(self) -> None:
        """Something on the agenda may be due earlier than before."""
        if self._next() < self._waits_until:
            self._woken.set()

    async def run(self) -> None:
        """Work until cancelled; raises what no repetition can mend."""
        while True:
            await self._wait()
            try:
                await self._work()
            except (*_FATAL, PermissionDenied):
                raise
            except UltraCartError as error:
                self._setbacks.failed(error, now=self._clock.now())
            else:
                self._setbacks.succeeded()

    async def _wait(self) -> None:
        while (due := self._next()) > (now := self._clock.now()):
            self._woken, self._waits_until = anyio.Event(), due
            await wait_at_most(self._clock, due - now, self._woken)

    def _next(self) -> float:
        """When there is something to do."""
        due = (self._intake.agenda.next(), self._intake.suspects.next(), self._sweep_at)
        return max(self._setbacks.until, min(time for time in due if time is not None))

    async def _work(self) -> None:
        if self._sweep_at <= self._clock.now():
            await self._sweep()
        while uuid := self._intake.agenda.pop(self._clock.now()):
            await self._read(uuid, None)
        self._receiver.deliver(self._intake.overdue(self._receiver.moment()))

    async def _sweep(self) -> None:
        generation, client = self._owed_generation, self._gap_client if self._owed_generation else self._tail_client
        ledger = self._intake.ledger
        sweep = ledger.sweep(now=self._epoch())
        rows = await carry_out(client, sweep)
        changed = self._intake.listed(rows, sweep.mark)
        self._receiver.deliver(self._intake.changed(rows, self._receiver.moment()))
        unlisted = ledger.unlisted(rows)
        if generation == self._owed_generation:
            self._receiver.deliver(self._intake.expect([*(row.conversation_uuid or "" for row in changed), *unlisted]))
        for row in changed:
            await self._read(row.conversation_uuid or "", row)
        for uuid in unlisted:
            await self._read(uuid, None)
        await self._read_queues(client)
        ledger.swept(rows, sweep.mark)
        self._swept(generation)

    def _swept(self, generation: int) -> None:
        self.sweeps += 1
        jitter = 1 + self._sweeping.jitter * (2 * self._draw() - 1)
        if generation != self._owed_generation:
            # A newer websocket was opened meanwhile, and what it does not bring may have come before it.
            return
        self._sweep_at = self._clock.now() + jitter * self._sweeping.interval
        is_deaf = self._intake.is_deaf()
        if generation:
            self._owed_generation = 0
            self._receiver.deliver(self._intake.recovered(self._receiver.moment()))
            self._receiver.caught_up(generation)
        elif is_deaf:
            self._receiver.deaf()

    async def _read_queues(self, client: ConversationClient) -> None:
        """Read the queues, which may be denied to this agent and are no reason to stop."""
        try:
            reply = await client.get_conversation_webchat_queue_statuses()
        except (*_FATAL, *_SERVICE_AWAY):
            raise
        except UltraCartError as error:
            _logger.warning("the queues cannot be read now: %s", error)
        else:
            self._receiver.deliver(self._intake.queues(reply.queue_statuses, self._receiver.moment()))

    async def _read(self, uuid: str, row: ConversationSummary | None) -> None:
        """Read one conversation; only errors that concern all of them are raised."""
        began = self._clock.now()
        reading = self._intake.ledger.reading(uuid, row, now=self._epoch())
        try:
            await carry_out(self._gap_client, reading)
        except NotFound:
            self._receiver.deliver(self._intake.gone(uuid))
        except (*_FATAL, *_SERVICE_AWAY):
            self._intake.agenda.hasten(uuid, began, within=0)
            raise
        except UltraCartError as error:
            _logger.warning("conversation %s cannot be read now: %s", uuid, error)
            self._receiver.deliver(self._intake.failed(uuid, str(error), self._receiver.moment()))
        else:
            self._intake.agenda.drop(uuid)
            if row is not None and reading.unproven is None:
                self._intake.ledger.was_read(row)
            self._receiver.deliver(self._intake.read(reading, self._receiver.moment()))
            self._receiver.was_read(reading, began)

    def _epoch(self) -> int:
        return int(self._clock.time() * 1000)
