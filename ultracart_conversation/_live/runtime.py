"""What runs while a session does: the connection, catching up, sending and the keepalive, joined into one stream."""

import logging
from collections.abc import Iterable
from datetime import UTC, datetime
from functools import partial

import anyio
import attrs

from ultracart_conversation._live.catching_up import CatchingUp
from ultracart_conversation._live.connection import WriteLost
from ultracart_conversation._live.connection_loop import ConnectionLoop
from ultracart_conversation._live.deliveries import Delivery, Moment, Stamp
from ultracart_conversation._live.feed import Feed, Overflow, Owed
from ultracart_conversation._live.frames import read_frame
from ultracart_conversation._live.intake import Intake
from ultracart_conversation._live.keepalive import Keepalive
from ultracart_conversation._live.outcome import Closed, Outcome, SocketEnded
from ultracart_conversation._live.presence import Presence
from ultracart_conversation._live.repayment import repay
from ultracart_conversation._live.sender import Sender
from ultracart_conversation._live.settings import Settings
from ultracart_conversation._live.socket import Connector
from ultracart_conversation._live.subscription import Subscription
from ultracart_conversation._live.wording import told
from ultracart_conversation._sync.checkpoint import Checkpoint
from ultracart_conversation._sync.gap import LIMIT, GapReading
from ultracart_conversation._sync.ledger import Follow, Ledger
from ultracart_conversation._sync.message_pages import MessagePages
from ultracart_conversation._sync.pending import united
from ultracart_conversation.client import ConversationClient, carry_out
from ultracart_conversation.errors import IncompleteRead, SessionError, UltraCartError, Undecodable
from ultracart_conversation.events import Event, GapUnresolved, MessageReceived, StateChanged
from ultracart_conversation.limits import Priority
from ultracart_conversation.models import ConversationAgentAuth, ConversationSummary
from ultracart_conversation.state import SessionState

_logger = logging.getLogger("ultracart_conversation.session")


class Runtime:
    """Everything of a session but its face."""

    def __init__(
        self,
        client: ConversationClient,
        connector: Connector,
        settings: Settings,
        *,
        follow: Follow,
        checkpoint: Checkpoint | None,
    ) -> None:
        self.settings = settings
        self._client = client
        self._clock = client.clock
        self._urgent = client.with_options(priority=Priority.GAP)
        self.me: ConversationAgentAuth | None = None
        """Who the agent is, once the service said so."""
        self.consumers: list[Subscription] = []
        self.failure: UltraCartError | None = None
        """What ended it, where that was an error."""
        self.is_over: bool = False
        self.intake: Intake = Intake(Ledger(follow=follow, checkpoint=checkpoint), sweeping=settings.sweeping)
        self.catching_up: CatchingUp = CatchingUp(client, self.intake, self, sweeping=settings.sweeping)
        self.keepalive: Keepalive = Keepalive(client, period=settings.keepalive)
        self.sender: Sender = Sender(
            self._write, self.look_up, sending=settings.sending, settle=settings.sweeping.settle, clock=self._clock
        )
        self.loop: ConnectionLoop = ConnectionLoop(
            authorize=self._authorize,
            address=partial(settings.dialect.address, allow_insecure=settings.allow_insecure),
            connector=connector,
            handler=self,
            ping=settings.dialect.ping_frame,
            ping_period=settings.dialect.ping_period,
            backoff=settings.backoff,
            heartbeat=settings.heartbeat,
            rotation=settings.rotation,
            clock=self._clock,
        )
        self.presence: Presence = Presence(client, self.loop.send, sending=settings.sending)
        self._resumes = checkpoint is not None
        self._generation = 0
        self._is_shed = False
        self._changed = anyio.Event()

    async def run(self) -> None:
        """Be online until `loop.stop` or cancelled; what ends it otherwise is in `failure`. Raises nothing."""
        if self._resumes:
            self.deliver(self.intake.gap(self.moment(), "resumed from a checkpoint"))
        try:
            async with anyio.create_task_group() as group:
                group.start_soon(self.catching_up.run, name="session: catching up")
                group.start_soon(self.sender.run, name="session: sending")
                group.start_soon(self.keepalive.run, name="session: keepalive")
                group.start_soon(self.presence.run, name="session: typing")
                await self.loop.run()
                group.cancel_scope.cancel()
        except* Exception as errors:  # noqa: BLE001 - it is raised by whatever waits for the session
            self.failure = _as_failure(errors)
            _logger.log(logging.ERROR, "the session ended: %s", self.failure)
        finally:
            self.is_over = True
            for consumer in tuple(self.consumers):
                consumer.finish(self.failure)
            self._announce_change()

    async def until_changed(self) -> None:
        """Return when the session's state changes, or the session ends."""
        await self._changed.wait()

    def subscribe(self, *, maxsize: int, overflow: Overflow) -> Subscription:
        """One more consumer, of everything from now on."""
        consumer = Subscription(
            maxsize=maxsize,
            overflow=overflow,
            clock=self._clock,
            reread=self._reread,
            on_take=self._taken,
            on_close=self._unsubscribe,
        )
        self.consumers.append(consumer)
        return consumer

    def checkpoint(self) -> Checkpoint:
        """What all consumers have dealt with, leaving out those that nobody has begun to read while others are read."""
        consumers = [consumer for consumer in self.consumers if consumer.has_started] or self.consumers
        return self.intake.ledger.checkpoint(united(consumer.unconfirmed() for consumer in consumers))

    def adopt(self, conversation: ConversationSummary) -> None:
        """Follow a conversation that this agent has just begun."""
        self.intake.ledger.adopt(conversation)
        self.look_up(conversation.conversation_uuid or "")

    def look_up(self, conversation_uuid: str) -> None:
        """Read this conversation as soon as the budget allows."""
        self.intake.agenda.hasten(conversation_uuid, self._clock.now(), within=0)
        self.catching_up.wake()

    # What the connection tells

    def opened(self, generation: int, auth: ConversationAgentAuth, /) -> None:
        """A websocket is open."""
        self.me = auth
        self.sender.connection_lost(self._generation)
        self._generation = generation
        self.intake.opened(self.moment(), auth.conversation_participant_arn)
        self.sender.connected(generation, participant_arn=auth.conversation_participant_arn)
        self.catching_up.opened(generation)

    def received(self, generation: int, text: str, /) -> None:
        """A frame came."""
        moment = attrs.evolve(self.moment(), generation=generation)
        frame = read_frame(text, received_at=moment.at, generation=generation, drift=self._client.drift)
        if isinstance(frame, MessageReceived) and frame.conversation_uuid is not None:
            self.sender.seen(frame.message, frame.conversation_uuid, found_by="echo")
        self.deliver(self.intake.pushed(frame, moment))
        self.catching_up.wake()

    def lost(self, generation: int, outcome: Outcome, /) -> None:
        """The websocket in use ended."""
        del generation
        self._offline(told(outcome))

    def changed(self, state: SessionState, /) -> None:
        """The session stands elsewhere now."""
        moment = self.moment()
        self.deliver([Delivery(StateChanged(state=state, received_at=moment.at, generation=state.generation))])
        self._announce_change()

    # What catching up tells

    def moment(self) -> Moment:
        """Now."""
        return Moment(self._clock.now(), datetime.fromtimestamp(self._clock.time(), UTC), self._generation)

    def deliver(self, deliveries: Iterable[Delivery], /) -> None:
        """Hand events to all consumers; when none of them takes anything any more, let go of the websocket."""
        for delivery in deliveries:
            for consumer in tuple(self.consumers):
                consumer.offer(delivery)
        if not self._is_shed and self._is_stuck():
            self._is_shed = True
            self.loop.shed("nobody takes the events")
            self._offline("nobody took the events")

    def was_read(self, reading: GapReading, began: float, /) -> None:
        """A conversation was read: what we sent may be in it."""
        uuid = reading.track.uuid
        for message in reading.messages.values():
            self.sender.seen(message, uuid, found_by="rest")
        if reading.unproven is None:
            self.sender.read_completely(uuid, began=began)

    def caught_up(self, generation: int, /) -> None:
        """The first sweep of this connection is over."""
        self.loop.caught_up(generation)

    def deaf(self) -> None:
        """The websocket in use brings nothing although there is something."""
        self.loop.rotate("it brings nothing although there is something")

    async def _authorize(self) -> ConversationAgentAuth:
        reply = await self._client.get_agent_websocket_authorization()
        if reply.agent_auth is None:
            raise Undecodable("get_agent_websocket_authorization: the reply has no agent_auth")
        return reply.agent_auth

    async def _write(self, text: str) -> int:
        try:
            return await self.loop.send(text)
        except WriteLost:
            raise SocketEnded(Closed(1006)) from None

    async def _reread(self, uuid: str, feed: Feed) -> tuple[list[Event], Owed | None]:
        """Read a conversation again for one consumer that could not keep all of it."""
        ledger, owed = self.intake.ledger, feed.owed[uuid]
        pages = MessagePages(uuid, owed.epoch, limit=LIMIT, shape=ledger.shape)
        unproven: str | None = None
        try:
            await carry_out(self._urgent, pages)
        except IncompleteRead as error:
            unproven = str(error)
        read, track = pages.seen.values(), ledger.tracks.get(uuid)
        repayment = repay(track, owed, read, room=feed.room, complete=unproven is None)
        moment = self.moment()
        stamp = Stamp(uuid, moment.at, replayed=True)
        events = [stamp.deliver(found).event for found in repayment.found]
        if unproven is not None:
            events.append(GapUnresolved(conversation_uuid=uuid, reason=unproven, received_at=moment.at))
        return events, repayment.rest

    def _offline(self, reason: str) -> None:
        self.sender.connection_lost(self._generation)
        self.presence.connection_lost()
        self.catching_up.lost()
        self.deliver(self.intake.gap(self.moment(), reason))

    def _is_stuck(self) -> bool:
        started = [consumer for consumer in self.consumers if consumer.has_started]
        return bool(started) and all(each.is_stuck(self.settings.buffering.patience) for each in started)

    def _announce_change(self) -> None:
        changed, self._changed = self._changed, anyio.Event()
        changed.set()

    def _taken(self) -> None:
        if self._is_shed:
            self._is_shed = False
            self.loop.resume()

    def _unsubscribe(self, consumer: Subscription) -> None:
        if consumer in self.consumers:
            self.consumers.remove(consumer)
            self._taken()


def _as_failure(errors: BaseExceptionGroup[Exception]) -> UltraCartError:
    """The first error of a group; a bug is told as one, with the original as its cause."""
    first: BaseException = errors
    while isinstance(first, BaseExceptionGroup):
        first = first.exceptions[0]
    if isinstance(first, UltraCartError):
        return first
    failure = SessionError(f"the session ended by a bug: {type(first).__name__}: {first}: please report it")
    failure.__cause__ = first
    return failure
