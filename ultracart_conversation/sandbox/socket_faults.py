"""Faults of the websocket side: what may go wrong with a handshake or with an outgoing frame."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, get_args

from .choices import check_choice

SocketFaultKind = Literal[
    "refuse", "stall", "silent", "close", "reset", "drop", "duplicate", "reorder", "corrupt", "cut"
]
OF_HANDSHAKES: frozenset[SocketFaultKind] = frozenset({"refuse", "stall", "silent", "close", "reset"})


@dataclass(frozen=True, slots=True, kw_only=True)
class SocketFault:
    """One thing that goes wrong, `times` times, with a handshake or with a pushed frame.

    Of handshakes: `refuse` answers with `status`; `stall` never answers; `silent` accepts, then neither reads nor
    writes; `close` accepts and closes with `code` after `delay`; `reset` accepts and resets after `delay`. Of
    frames: `drop` loses one; `duplicate` sends it twice; `reorder` sends it after the next that it would strike;
    `corrupt` breaks its JSON; `cut` sends `size` bytes of it and resets the connection.
    """

    kind: SocketFaultKind
    times: int | None = 1
    """How often; None = until it is removed."""
    after: int = 0
    """How many matching handshakes or frames pass untouched first."""
    frame: str | None = None
    """Only frames of this `event_type`, or of this `type` ("message", "ping")."""
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

    def strikes(self, subjects: frozenset[str]) -> bool:
        subject = "handshake" if self.kind in OF_HANDSHAKES else "frame"
        return subject in subjects and (self.frame is None or self.frame in subjects)
