"""The client's end of a simulated websocket."""

from collections.abc import Callable
from dataclasses import dataclass

from .cable import Cable, ServiceEnd
from .connection import Connection
from .handshake import Denied, Opening
from .network import Network
from .switchboard import Switchboard, spoil


def _unheard() -> None:
    """What a client does about a pong that it does not look for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Listener:
    """What a client does about what it hears. The callbacks run one after the other and must not wait.

    `on_end` is called once, whoever ended the connection, with the code and the reason of the closing handshake;
    the code is None when there was none.
    """

    on_text: Callable[[str], None]
    on_end: Callable[[int | None, str], None]
    on_pong: Callable[[], None] = _unheard


class LocalSocket:
    """A websocket in a simulation; every method returns at once, and its effect arrives after the latency.

    `send` and `ping` raise ConnectionError when the client knows that the connection is closing or has ended.
    """

    def __init__(self, switchboard: Switchboard, network: Network, listener: Listener) -> None:
        self.ended: bool = False
        """Whether the client knows that it ended."""
        self.subprotocol: str | None = None
        """The one that the service chose."""
        self._switchboard = switchboard
        self._network = network
        self._listener = listener
        self._cable = Cable(network)
        self._connection: Connection | None = None
        self._denied: Denied | None = None
        self._opened = False
        self._closing = False

    def dial(self, opening: Opening, answered: Callable[[], None]) -> None:
        """Begin the handshake; `answered` is called when there is an answer."""
        self._cable.up(lambda: self._arrive(opening, answered))

    def check_opened(self) -> None:
        """`Denied` when the handshake was answered with a status, TimeoutError when it was not answered yet."""
        if self._denied is not None:
            raise self._denied
        if not self._opened:
            raise TimeoutError("the handshake was not answered in time")

    def give_up(self) -> None:
        """As `reset`, but nobody hears of it at this end."""
        self.ended = True
        self._cable.up(lambda: self._with(self._switchboard.end))

    def send(self, content: str | bytes) -> None:
        """One message: text or, which the service does not like, binary."""
        self._check_open()
        self._cable.up(lambda: self._with(lambda connection: self._switchboard.receive(connection, content)))

    def ping(self) -> None:
        """A control frame; the service answers with a pong."""
        self._check_open()
        self._cable.up(lambda: self._cable.down(self._hear_pong))

    def close(self, code: int = 1000, reason: str = "") -> None:
        """Begin the closing handshake; `on_end` tells of its end. Does nothing when one has begun."""
        if not (self.ended or self._closing):
            self._closing = True
            self._cable.up(lambda: self._with(lambda connection: self._hang_up(connection, code, reason)))

    def reset(self) -> None:
        """Drop the connection at once. The service learns of it, unless the network is silent."""
        if not self.ended:
            self._end(None, "")

    def silence(self) -> None:
        """Lose the network under the connection: nothing arrives any more, at either end."""
        self._cable.silent = True
        self._with(Connection.fall_silent)

    def _arrive(self, opening: Opening, answered: Callable[[], None]) -> None:
        fault = self._switchboard.next_fault()
        if fault is not None and fault.kind == "stall":
            return
        wire = ServiceEnd(self._cable, on_text=self._hear, on_end=self._end)
        try:
            connection = self._switchboard.admit(opening, wire, fault)
        except Denied as error:
            self._answer(error, answered)
            return
        self._connection = connection
        self._answer(opening.chosen_subprotocol, answered)
        if fault is not None:
            self._network.agenda.after(fault.delay, lambda: spoil(connection, fault))

    def _answer(self, answer: Denied | str | None, answered: Callable[[], None]) -> None:
        def arrive() -> None:
            self._opened = not isinstance(answer, Denied)
            if isinstance(answer, Denied):
                self._denied = answer
            else:
                self.subprotocol = answer
            answered()

        self._cable.down_surely(arrive)

    def _with(self, act: Callable[[Connection], None]) -> None:
        if self._connection is not None:
            act(self._connection)

    def _check_open(self) -> None:
        if self.ended or self._closing:
            raise ConnectionError("the websocket is not open")

    def _hang_up(self, connection: Connection, code: int, reason: str) -> None:
        self._switchboard.end(connection)
        self._cable.down(lambda: self._end(code, reason))

    def _hear(self, text: str) -> None:
        if not self.ended:
            self._listener.on_text(text)

    def _hear_pong(self) -> None:
        if not self.ended:
            self._listener.on_pong()

    def _end(self, code: int | None, reason: str) -> None:
        """The connection is over for the client; the service learns that, as from the answer to its closing frame."""
        if not self.ended:
            self.give_up()
            self._listener.on_end(code, reason)
