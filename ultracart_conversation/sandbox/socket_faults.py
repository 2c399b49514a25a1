"""Faults of the websocket side: what may go wrong with a handshake or with a frame, either way."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, get_args

from .choices import check_choice

SocketFaultKind = Literal[
    "refuse",
    "stall",
    "silent",
    "close",
    "reset",
    "drop",
    "duplicate",
    "reorder",
    "corrupt",
    "cut",
    "ignore",
    "fail before",
    "fail after",
    "unconfirmed",
]
Subject = Literal["handshake", "frame", "agent frame"]
OF_HANDSHAKES: frozenset[SocketFaultKind] = frozenset({"refuse", "stall", "silent", "close", "reset"})
OF_AGENT_FRAMES: frozenset[SocketFaultKind] = frozenset({"ignore", "fail before", "fail after", "unconfirmed"})


@dataclass(frozen=True, slots=True, kw_only=True)
class SocketFault:
    """One thing that goes wrong, `times` times, with a handshake, a pushed frame or a frame that an agent sends.

    Of handshakes: `refuse` answers with `status`; `stall` never answers; `silent` accepts, then neither reads nor
    writes; `close` accepts and closes with `code` after `delay`; `reset` accepts and resets after `delay`. Of
    pushed frames: `drop` loses one; `duplicate` sends it twice; `reorder` sends it after the next that it would
    strike; `corrupt` breaks its JSON; `cut` sends `size` bytes of it and resets the connection. Of agents' frames:
    `ignore` loses one on its way in; `fail before` answers with the gateway's error instead of carrying it out;
    `fail after` carries it out, but the socket that sent it gets the gateway's error instead of all that follows
    from it; `unconfirmed` carries it out, and that socket hears nothing.

    A plan with `rate` strikes the same frames whenever the sandbox has the same seed and the same things happen in
    the same order.
    """

    kind: SocketFaultKind
    times: int | None = 1
    """How often; None = until it is removed."""
    after: int = 0
    """How many matching handshakes or frames pass untouched first."""
    frame: str | None = None
    """Only frames of this `event_type`, or of this `type` ("message", "ping"); add one fault for each of several."""
    status: int = 503
    headers: Mapping[str, str] = field(default_factory=dict[str, str])
    code: int = 1011
    reason: str = ""
    delay: float = 0.0
    size: int = 1
    rate: float = 1.0
    """The share of what matches that it strikes, decided by the sandbox's seed."""

    def __post_init__(self) -> None:
        check_choice("kind", self.kind, get_args(SocketFaultKind))

    @property
    def subject(self) -> Subject:
        """What it can happen to."""
        if self.kind in OF_HANDSHAKES:
            return "handshake"
        return "agent frame" if self.kind in OF_AGENT_FRAMES else "frame"

    def strikes(self, subjects: frozenset[str]) -> bool:
        return self.subject in subjects and (self.frame is None or self.frame in subjects)
