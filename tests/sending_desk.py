"""A sender on a driven clock, and a websocket that does what the test says."""

import anyio
import anyio.abc

from tests.virtual_clock import VirtualClock, settle
from ultracart_conversation import ConversationMessage
from ultracart_conversation._live.outcome import Closed, SocketEnded
from ultracart_conversation._live.sender import Sender
from ultracart_conversation.config import Sending
from ultracart_conversation.delivery import FoundBy, Sent, Unknown
from ultracart_conversation.errors import NotConnected, SendQueueFull, SessionClosed

OURS = "arn:agent"
Outcome = Sent | Unknown | SendQueueFull | SessionClosed


class FakeSocket:
    """Keeps what is written; `gate` holds a write back, and `fails` says how the next one ends."""

    def __init__(self) -> None:
        self.generation = 0
        self.frames: list[tuple[int, str]] = []
        self.gate: anyio.Event | None = None
        self.fails: Exception | None = None
        self.attempts = 0

    async def write(self, text: str) -> int:
        self.attempts += 1
        generation = self.generation
        if not generation:
            raise NotConnected("there is no websocket")
        if self.gate:
            await self.gate.wait()
        if self.fails:
            failure, self.fails = self.fails, None
            raise failure
        self.frames.append((generation, text))
        return generation

    @property
    def texts(self) -> list[str]:
        return [text for _, text in self.frames]


def cut() -> SocketEnded:
    return SocketEnded(Closed(1006))


class SendingDesk:
    """Callers in the background, and what became of each of their messages."""

    def __init__(self, clock: VirtualClock, group: anyio.abc.TaskGroup, sending: Sending | None = None) -> None:
        self.clock, self.group = clock, group
        self.socket = FakeSocket()
        self.looked_up: list[tuple[float, str]] = []
        self.outcomes: dict[str, Outcome] = {}
        self.sender = Sender(self.socket.write, self.look_up, sending=sending or Sending(), settle=30.0, clock=clock)
        self.running = anyio.CancelScope()
        group.start_soon(self._run)

    def look_up(self, conversation_uuid: str) -> None:
        self.looked_up.append((self.clock.now(), conversation_uuid))

    async def connect(self, generation: int = 1) -> None:
        self.socket.generation = generation
        self.sender.connected(generation, participant_arn=OURS)
        await settle()

    async def lose(self, generation: int = 1) -> None:
        self.socket.generation = 0
        self.sender.connection_lost(generation)
        await settle()

    async def send(self, name: str, conversation: str = "a") -> anyio.CancelScope:
        """A message whose body and id are its name, on its way; its outcome shows in `outcomes`."""
        scope = anyio.CancelScope()
        self.group.start_soon(self._send, name, conversation, scope)
        await settle()
        return scope

    async def _run(self) -> None:
        with self.running:
            await self.sender.run()

    async def _send(self, name: str, conversation: str, scope: anyio.CancelScope) -> None:
        with scope:
            try:
                self.outcomes[name] = await self.sender.send(conversation, name, encode=str, client_message_id=name)
            except (SendQueueFull, SessionClosed) as error:
                self.outcomes[name] = error

    def see(self, name: str, conversation: str = "a", *, found_by: FoundBy = "echo") -> None:
        message = ConversationMessage(
            author_conversation_participant_arn=OURS,
            body=name,
            client_message_id=name,
            conversation_message_uuid=f"uuid of {name}",
        )
        self.sender.seen(message, conversation, found_by=found_by)

    async def echo(self, name: str, conversation: str = "a") -> None:
        self.see(name, conversation)
        await settle()
