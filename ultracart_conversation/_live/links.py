"""The websocket in use; those that it replaced close on their own."""

from collections.abc import Callable

from ultracart_conversation._live.attempt import Opened
from ultracart_conversation._live.connection import WriteLost
from ultracart_conversation._live.link import Link, Traffic, Upkeep
from ultracart_conversation._live.outcome import SocketEnded
from ultracart_conversation._live.wording import discreet, told
from ultracart_conversation.clock import Clock
from ultracart_conversation.errors import NotConnected


class Links:
    """Numbers websockets, and knows the one in use."""

    def __init__(self, *, received: Callable[[int, str], None], clock: Clock, upkeep: Upkeep) -> None:
        self._received = received
        self._clock = clock
        self._upkeep = upkeep
        self.traffic: Traffic = Traffic()
        self.in_use: Link | None = None
        self.generation: int = 0
        """The number of the one in use, or of the last that was."""
        self.opened: int = 0
        self.replaced: int = 0

    def make(self, opened: Opened) -> Link:
        """A websocket of the next number, which is not in use yet."""
        self.opened += 1
        return Link(
            opened.socket,
            ticket=opened.ticket,
            generation=self.opened,
            received=self._received,
            clock=self._clock,
            upkeep=self._upkeep,
            traffic=self.traffic,
        )

    def use(self, link: Link) -> Link | None:
        """Use this one from now on; the one that it replaces, which closes."""
        old, self.in_use, self.generation = self.in_use, link, link.generation
        if old is not None:
            old.leave()
            self.replaced += 1
        return old

    def part(self, *, listening: bool = True) -> bool:
        """Close the one in use, if there is one."""
        link, self.in_use = self.in_use, None
        if link is not None:
            link.leave(listening=listening)
        return link is not None

    async def send(self, text: str) -> int:
        """Write one message on the one in use, and tell its generation; raises `NotConnected` or `WriteLost`."""
        link = self.in_use
        if link is None:
            raise NotConnected("there is no open websocket right now: nothing was sent")
        try:
            await link.send(text)
        except SocketEnded as ended:
            end = told(discreet(ended.end, secret=link.ticket.secret))
            error = WriteLost(f"{end} while writing: it may have been sent, so check before you repeat it")
            error.generation = link.generation
            raise error from None
        return link.generation
