"""What lies between a simulated client and the service: delay, and order."""

from collections.abc import Callable

from .agenda import Agenda
from .clock import Clock
from .dice import Dice

Latency = float | tuple[float, float]


class Lane:
    """One direction of one connection: what is carried arrives later, in order."""

    def __init__(self, network: "Network") -> None:
        self._network = network
        self._last = 0.0

    def carry(self, arrive: Callable[[], None]) -> None:
        self._last = max(self._last, self._network.arrival())
        self._network.agenda.at(self._last, arrive)


class Network:
    """Every lane takes `latency` seconds: one number, or two between which the dice decide for each thing anew."""

    def __init__(self, clock: Clock, chance: Dice, latency: Latency) -> None:
        self.latency: Latency = latency
        self.agenda: Agenda = Agenda(clock)
        self._clock = clock
        self._chance = chance

    def lane(self) -> Lane:
        return Lane(self)

    def arrival(self) -> float:
        """When something arrives that leaves now."""
        if isinstance(self.latency, tuple):
            return self._clock.now() + self._chance.uniform(*self.latency)
        return self._clock.now() + self.latency

    def deliver(self) -> None:
        """Let all arrive that is due."""
        self.agenda.run_due()
