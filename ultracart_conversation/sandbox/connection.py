"""One agent's websocket as the service sees it, whatever carries it, and the faults on the way out."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

from . import traffic
from .envelope import Json, encode
from .faults import Plan
from .queues import Agent
from .socket_faults import SocketFault
from .traffic import Traffic


@dataclass(frozen=True, slots=True)
class _Held:
    """A frame that waits for the next one which its fault would strike."""

    fault: SocketFault
    name: str
    text: str


class Wire(Protocol):
    """What carries the frames of one connection; everything leaves in the order of the calls, but for `reset`."""

    def send(self, text: str, /) -> None: ...
    def close(self, code: int, reason: str, /) -> None: ...
    def cut(self, text: str, size: int, /) -> None:
        """Send the first `size` bytes of a frame, then reset."""
        ...

    def reset(self) -> None: ...
    def fall_silent(self) -> None:
        """Keep the connection, but read nothing and send nothing: not even a pong."""
        ...


@dataclass(slots=True, eq=False, kw_only=True)
class Connection:
    """A socket that was accepted, or is about to be; times are those of the sandbox's clock."""

    wire: Wire
    agent: Agent
    identifier: str
    opened_at: float
    expires_at: float
    """When the token that opened it expires."""
    faults: Plan[SocketFault]
    traffic: Traffic
    ended: Callable[["Connection"], None]
    """Called when the service has given it up without a closing handshake."""
    heard_at: float = field(init=False)
    pinged_at: float = field(init=False)
    silent: bool = False
    muted: bool = False
    """Whether frames are held back for the moment, because what causes them goes unconfirmed."""
    closing: bool = False
    """Whether the service has ended it, or is about to."""
    _held: list[_Held] = field(default_factory=list[_Held])

    def __post_init__(self) -> None:
        self.heard_at = self.pinged_at = self.opened_at

    def push(self, frame: Json) -> None:
        if self.closing or self.muted:
            return
        name = traffic.name(frame)
        if self.silent:
            self.traffic.dropped[name] += 1
            return
        subjects = frozenset({"frame", *traffic.names(frame)})
        self._send(encode(frame).decode(), name, subjects)

    def close(self, code: int, reason: str) -> None:
        """Close in an orderly way, after what was pushed before; the client of a silent one learns nothing of it."""
        if self.closing:
            return
        if self.silent:
            self.ended(self)
            return
        self._release(None)
        self.closing = True
        self.wire.close(code, reason)

    def reset(self) -> None:
        self.wire.reset()
        self.ended(self)

    def fall_silent(self) -> None:
        self.silent = True
        self.wire.fall_silent()

    def _send(self, text: str, name: str, subjects: frozenset[str]) -> None:
        fault = self.faults.take(subjects)
        if fault is not None and fault.kind == "reorder":
            self._held.append(_Held(fault, name, text))
            return
        for each in _spoiled(text, fault):
            self._carry(each, name)
        self._release(subjects)
        if fault is not None and fault.kind in {"drop", "cut"}:
            self.traffic.dropped[name] += 1
        if fault is not None and fault.kind == "cut":
            self.wire.cut(text, fault.size)
            self.ended(self)

    def _carry(self, text: str, name: str) -> None:
        self.traffic.pushed[name] += 1
        self.wire.send(text)

    def _release(self, subjects: frozenset[str] | None) -> None:
        """Send what was held back for a frame like this one; None = for any."""
        held, self._held = self._held, []
        for each in held:
            if subjects is None or each.fault.strikes(subjects):
                self._carry(each.text, each.name)
            else:
                self._held.append(each)


def _spoiled(text: str, fault: SocketFault | None) -> list[str]:
    match fault and fault.kind:
        case "drop" | "cut":
            return []
        case "duplicate":
            return [text, text]
        case "corrupt":
            return [text[: len(text) // 2]]
        case _:
            return [text]
