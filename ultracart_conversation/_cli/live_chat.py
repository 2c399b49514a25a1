"""The heart of the demo: an agent and a customer write to each other, and the connection is cut while they do."""

import time
from collections import Counter
from collections.abc import Callable
from datetime import datetime

import anyio

from ultracart_conversation._cli.event_words import words_of
from ultracart_conversation._cli.narrator import Narrator
from ultracart_conversation._cli.tour import Tour
from ultracart_conversation.delivery import Unknown
from ultracart_conversation.errors import OutcomeUnknown
from ultracart_conversation.events import Event, Gap, GapClosed, MessageReceived, StateChanged, Typing
from ultracart_conversation.session import AgentSession
from ultracart_conversation.state import Phase

_PATIENCE = 20.0
_POLL = 0.3
"""Seconds between two polls, for whoever has no session."""


class LiveChat:
    """One conversation as the agent's session tells it."""

    def __init__(self, tour: Tour, session: AgentSession, uuid: str) -> None:
        self.uuid = uuid
        self._tour = tour
        self._session = session
        self._customer = tour.sandbox.customer(uuid)
        self._narrator = Narrator()
        self._before = _messages(tour, uuid)
        self._came: Counter[str] = Counter()
        self._started, self._requests = 0.0, 0

    def listen(self) -> None:
        """Say what comes, and begin to count what it costs."""
        self._tour.screen.note("Now `async for event in session`; on the right: seen how long after it was written.")
        self._started, self._requests = time.perf_counter(), len(self._tour.sandbox.requests)

    async def hear(self, line: str) -> None:
        """Let the customer type, then write."""
        await self._type(line)
        uuid = self._customer.write(line)
        await self._until(lambda event: _is_message(event, uuid))

    async def answer(self, body: str, *, upload_keys: tuple[str, ...] = ()) -> None:
        """Write to the customer."""
        keys = f", upload_keys={upload_keys}" if upload_keys else ""
        sending = self._session.send_message(self.uuid, body, upload_keys=upload_keys)
        outcome = await self._tour.call(f"session.send_message(uuid, body{keys})", sending)
        if isinstance(outcome, Unknown):
            raise OutcomeUnknown(outcome.reason)
        self._tour.screen.result(f"{type(outcome).__name__}: the service has it, by its {outcome.found_by}")
        uuid = outcome.message.conversation_message_uuid
        await self._until(lambda event: _is_message(event, uuid))

    async def lose_connection(self, line: str) -> None:
        """Cut the connection while the customer writes, and watch the session come back with what was written."""
        screen, quiet = self._tour.screen, self._requests_since(self._requests)
        polls = int((time.perf_counter() - self._started) / _POLL)
        screen.note("Now the sandbox cuts the connection while the customer writes:")
        await self._type(line)
        before = len(self._tour.sandbox.requests)
        self._tour.sandbox.sockets.reset()
        self._customer.write(line)
        await self._until(_is_live)
        screen.note(
            f"Up to the cut this took {quiet}, where a poll every {_POLL:g} s would have been {polls}; "
            f"to come back and close the gap took {self._requests_since(before)}."
        )

    def count(self) -> None:
        """Compare what came with what the sandbox has."""
        written = _messages(self._tour, self.uuid) - self._before
        most = max(self._came.values(), default=0)
        missing = len(written - self._came.keys())
        self._tour.screen.result(
            f"{len(written)} messages were written, {len(self._came)} came: {missing or 'none'} missing, "
            f"{'some' if most > 1 else 'none'} twice"
        )

    async def _type(self, line: str) -> None:
        self._tour.status("the customer is thinking")
        await self._tour.pause()
        self._tour.status("")
        self._customer.type(line[:5])
        await self._until(lambda event: isinstance(event, Typing))
        await self._tour.pause()

    async def _until(self, is_wanted: Callable[[Event], bool]) -> None:
        """Show what happens, up to what is wanted."""
        with anyio.fail_after(_PATIENCE):
            async for event in self._session:
                self._show(event)
                if is_wanted(event):
                    return

    def _show(self, event: Event) -> None:
        if isinstance(event, MessageReceived) and event.conversation_uuid == self.uuid:
            self._came[event.message.conversation_message_uuid or ""] += 1
            _show_message(self._tour, event)
        elif isinstance(event, Typing | Gap | GapClosed | StateChanged):
            words = words_of(event) if isinstance(event, Typing) else self._narrator.words(event)
            if words is not None:
                self._tour.screen.event(words)

    def _requests_since(self, before: int) -> str:
        count = len(self._tour.sandbox.requests) - before
        return "1 request" if count == 1 else f"{count} requests"


async def until_live(session: AgentSession) -> None:
    """Take what the session tells up to being online."""
    async for event in session:
        if _is_live(event):
            return


def _show_message(tour: Tour, event: MessageReceived) -> None:
    epoch = event.message.message_epoch or 0
    moment = datetime.fromtimestamp(epoch / 1000).astimezone()
    after = f"{max(0.0, event.received_at.timestamp() - epoch / 1000):.2f} s"
    author = event.message.author_conversation_participant_name or "(notice)"
    remark = f"replayed {after}" if event.replayed else after
    tour.screen.message(f"{moment:%H:%M:%S}", author, event.message.body or "", remark=remark)


def _messages(tour: Tour, uuid: str) -> set[str]:
    return {each["conversation_message_uuid"] for each in tour.sandbox.snapshot(uuid)["messages"]}


def _is_message(event: Event, uuid: str | None) -> bool:
    return isinstance(event, MessageReceived) and event.message.conversation_message_uuid == uuid


def _is_live(event: Event) -> bool:
    return isinstance(event, StateChanged) and event.state.phase is Phase.LIVE
