"""Reading from the service step by step, without knowing how it is asked."""

from abc import ABC, abstractmethod
from collections.abc import Generator
from typing import Generic, TypeVar

from ultracart_conversation._sync.requests import Reply, Request

R_co = TypeVar("R_co", bound=Request, covariant=True)
T_co = TypeVar("T_co", covariant=True)


class Course(ABC, Generic[R_co, T_co]):
    """Ask the service for `request` and hand its reply to `receive`, until `request` is None.

    What a class of it reads is told by its `_steps`, which put what is ready to be handed over into `_ready`.
    """

    def __init__(self) -> None:
        self._ready: list[T_co] = []
        self._course = self._steps()
        self._request: R_co | None = next(self._course, None)
        self.asked: int = 0
        """How many replies were taken."""

    @property
    def request(self) -> R_co | None:
        """What to ask for next; None when there is nothing left to ask."""
        return self._request

    def receive(self, reply: Reply) -> list[T_co]:
        """Take the reply to `request`, and give what it made ready."""
        self.asked += 1
        try:
            self._request = self._course.send(reply)
        except StopIteration:
            self._request = None
        ready, self._ready = self._ready, []
        return ready

    @abstractmethod
    def _steps(self) -> Generator[R_co, Reply, None]:
        """Yield what to ask for, and get the reply."""
