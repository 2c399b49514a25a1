"""When the task that catches up wakes; what it does then is tested with the session."""

from collections.abc import Iterable
from datetime import UTC, datetime

import anyio
import httpx
import pytest

from tests.virtual_clock import VirtualClock, settle
from ultracart_conversation import ConversationClient, Sweeping
from ultracart_conversation._live.catching_up import CatchingUp
from ultracart_conversation._live.deliveries import Delivery, Moment
from ultracart_conversation._live.intake import Intake
from ultracart_conversation._sync.gap import GapReading
from ultracart_conversation._sync.ledger import Ledger

pytestmark = pytest.mark.anyio


class Alarm(VirtualClock):
    """Counts how often somebody goes to sleep."""

    sleeps = 0

    async def sleep(self, seconds: float) -> None:
        self.sleeps += seconds > 0
        await super().sleep(seconds)


class Receiver:
    """Notes when conversations were read."""

    def __init__(self, clock: Alarm) -> None:
        self.reads: list[tuple[str, float]] = []
        self._clock = clock

    def moment(self) -> Moment:
        return Moment(self._clock.now(), datetime.fromtimestamp(self._clock.time(), UTC), 1)

    def deliver(self, deliveries: Iterable[Delivery], /) -> None:
        del deliveries

    def was_read(self, reading: GapReading, began: float, /) -> None:
        self.reads.append((reading.track.uuid, began))

    def caught_up(self, generation: int, /) -> None:
        del generation

    def deaf(self) -> None:
        pass


def nothing(request: httpx.Request) -> httpx.Response:
    del request
    return httpx.Response(200, json={"success": True, "conversation_messages": []})


async def test_only_what_is_due_earlier_wakes_it() -> None:
    clock = Alarm()
    now, receiver = clock.now(), Receiver(clock)
    client = ConversationClient(
        "key", base_url="https://service.example", transport=httpx.MockTransport(nothing), clock=clock
    )
    intake = Intake(Ledger(follow="mine"), sweeping=Sweeping())
    catching_up = CatchingUp(client, intake, receiver, sweeping=Sweeping())
    async with client, anyio.create_task_group() as group:
        group.start_soon(catching_up.run)
        await settle()
        for second in range(20):
            intake.agenda.settle("later", now, after=30.0 + second, at_most=300.0)
            catching_up.wake()
            await settle()
        assert clock.sleeps == 1
        intake.agenda.hasten("sooner", now, within=10.0)
        catching_up.wake()
        await settle()
        assert clock.sleeps == 2
        await clock.advance(60.0)
        assert receiver.reads == [("sooner", now + 10.0), ("later", now + 49.0)]
        group.cancel_scope.cancel()
