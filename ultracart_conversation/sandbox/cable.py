"""What lies between the two ends of a simulated websocket, and the service's end of it."""

from collections.abc import Callable

from .network import Network


class Cable:
    """Two lanes, on which things can be lost."""

    def __init__(self, network: Network) -> None:
        self.silent: bool = False
        """Whether nothing arrives any more, at either end."""
        self.lossy: bool = False
        """Whether what is on its way to the client is lost."""
        self._network = network
        self._up = network.lane()
        self._down = network.lane()

    def up(self, act: Callable[[], None]) -> None:
        """Have `act` happen at the service."""
        self._up.carry(lambda: None if self.silent else act())
        self._network.deliver()

    def down(self, act: Callable[[], None]) -> None:
        """Have `act` happen at the client."""
        self._down.carry(lambda: None if self.silent or self.lossy else act())

    def down_surely(self, act: Callable[[], None]) -> None:
        """The same, even when the connection breaks meanwhile."""
        self._down.carry(act)


class ServiceEnd:
    """The `Wire` of a simulated connection."""

    def __init__(
        self, cable: Cable, *, on_text: Callable[[str], None], on_end: Callable[[int | None, str], None]
    ) -> None:
        self._cable = cable
        self._on_text = on_text
        self._on_end = on_end

    def send(self, text: str, /) -> None:
        self._cable.down(lambda: self._on_text(text))

    def close(self, code: int, reason: str, /) -> None:
        self._cable.down(lambda: self._on_end(code, reason))

    def cut(self, text: str, size: int, /) -> None:
        """A client that hears whole messages only notices nothing of a part."""
        del text, size
        self._cable.down(lambda: self._on_end(None, ""))

    def reset(self) -> None:
        if not self._cable.silent:
            self._cable.lossy = True
            self._cable.down_surely(lambda: self._on_end(None, ""))

    def fall_silent(self) -> None:
        self._cable.silent = True
