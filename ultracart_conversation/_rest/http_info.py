"""What went over the wire for the calls of a block."""

from collections.abc import Generator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar

from ultracart_conversation.exchange import Exchange


class HttpInfo:
    """The exchanges of a block, retries included; the properties speak of the last one."""

    __slots__ = ("exchanges",)

    def __init__(self) -> None:
        self.exchanges: list[Exchange] = []
        """All exchanges, oldest first."""

    @property
    def status_code(self) -> int | None:
        """The last reply's status; None when there was none."""
        return self.exchanges[-1].status_code if self.exchanges else None

    @property
    def headers(self) -> Mapping[str, str]:
        """The last reply's headers; empty when there was none."""
        return self.exchanges[-1].headers if self.exchanges else {}

    @property
    def request_id(self) -> str | None:
        """UltraCart's name for the last exchange, to quote to its support."""
        return self.exchanges[-1].request_id if self.exchanges else None

    def __repr__(self) -> str:
        return f"HttpInfo(exchanges={self.exchanges!r})"


_listening: ContextVar[tuple[HttpInfo, ...]] = ContextVar("ultracart_conversation_http_info", default=())


@contextmanager
def http_info() -> Generator[HttpInfo]:
    """Collect the exchanges of all calls made in this block and in the tasks it starts.

    ```python
    with http_info() as info:
        await client.join_conversation(uuid)
    print(info.status_code, info.request_id, len(info.exchanges))
    ```
    """
    info = HttpInfo()
    token = _listening.set((*_listening.get(), info))
    try:
        yield info
    finally:
        _listening.reset(token)


def record(exchange: Exchange) -> None:
    """Tell every block around the running call."""
    for info in _listening.get():
        info.exchanges.append(exchange)
