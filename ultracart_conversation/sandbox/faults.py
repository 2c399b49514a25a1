"""Faults of the HTTP side: what may go wrong with one request, as values that are planned and used up."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Generic, Literal, Protocol, TypeVar, get_args

from .choices import check_choice
from .dice import Dice

FaultKind = Literal[
    "status",
    "delay",
    "drop before",
    "drop after",
    "half header",
    "truncated body",
    "html",
    "empty",
    "refused",
    "wrong content type",
    "stall",
    "slow",
    "huge body",
    "gzip bomb",
]
FaultBody = Literal["envelope", "html", "empty"]
EFFECTLESS: frozenset[FaultKind] = frozenset({"status", "drop before", "refused", "stall", "huge body"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One thing that goes wrong, `times` times, with requests for `operation` and `conversation_uuid` (None = any).

    The kinds: `status` answers with `status` and a `body` of that style; `delay` answers late and well; `drop
    before`/`drop after` closes the connection before/after the effect; `half header` and `truncated body` stop in
    the middle; `html`, `empty`, `wrong content type` spoil a 200; `refused` is a 200 with `success: false`; `stall`
    never answers; `slow` sends a byte per `interval`; `huge body` is an error of `size` bytes; `gzip bomb` unpacks
    to `size` bytes.
    """

    kind: FaultKind
    operation: str | None = None
    conversation_uuid: str | None = None
    """Strike only requests with this conversation in their path."""
    times: int | None = 1
    """How often; None = until it is removed."""
    after: int = 0
    """How many matching requests pass untouched first."""
    rate: float = 1.0
    """The share of matching requests that it strikes, decided by the sandbox's seed."""
    delay: float = 0.0
    """Seconds before anything happens, for every kind."""
    status: int = 500
    body: FaultBody = "envelope"
    text: str = "The sandbox was told to fail."
    headers: Mapping[str, str] = field(default_factory=dict[str, str])
    reset: bool = False
    """Drop with a TCP reset instead of an orderly end."""
    interval: float = 0.05
    size: int = 10 * 1024 * 1024
    effect: bool | None = None
    """Whether the operation is carried out; None = as the kind suggests."""

    @property
    def has_effect(self) -> bool:
        return self.kind not in EFFECTLESS if self.effect is None else self.effect

    def __post_init__(self) -> None:
        check_choice("kind", self.kind, get_args(FaultKind))
        check_choice("body", self.body, get_args(FaultBody))

    def strikes(self, subjects: frozenset[str]) -> bool:
        wanted = (self.operation, self.conversation_uuid)
        return all(each is None or each in subjects for each in wanted)


def subjects(operation: str, conversation_uuid: str | None) -> frozenset[str]:
    """What a request is about, as a fault names it."""
    return frozenset({operation} if conversation_uuid is None else {operation, conversation_uuid})


class Planned(Protocol):
    """What a `Plan` can hold."""

    @property
    def times(self) -> int | None: ...
    @property
    def after(self) -> int: ...
    @property
    def rate(self) -> float: ...
    def strikes(self, subjects: frozenset[str]) -> bool: ...


F = TypeVar("F", bound=Planned)


@dataclass(slots=True)
class _Entry(Generic[F]):
    fault: F
    spared: int = 0
    used: int = 0

    def strike(self, subjects: frozenset[str], chance: Dice) -> bool:
        """True when it happens now; counts both what it spares and what it strikes."""
        if self.spent or not self.fault.strikes(subjects):
            return False
        if self.fault.rate < 1 and chance.random() >= self.fault.rate:
            return False
        if self.spared < self.fault.after:
            self.spared += 1
            return False
        self.used += 1
        return True

    @property
    def spent(self) -> bool:
        return self.fault.times is not None and self.used >= self.fault.times


class Plan(Generic[F]):
    """The faults to come, in the order in which they were added; one strikes at a time."""

    def __init__(self, chance: Dice) -> None:
        self._chance = chance
        self._entries: list[_Entry[F]] = []

    def add(self, fault: F) -> F:
        self._entries.append(_Entry(fault))
        return fault

    def remove(self, fault: F) -> None:
        self._entries = [entry for entry in self._entries if entry.fault is not fault]

    def clear(self) -> None:
        self._entries = []

    @property
    def pending(self) -> tuple[F, ...]:
        """The faults that are not used up."""
        return tuple(entry.fault for entry in self._entries if not entry.spent)

    def take(self, subjects: frozenset[str]) -> F | None:
        """The fault that strikes something with these names, if any."""
        return next((entry.fault for entry in tuple(self._entries) if entry.strike(subjects, self._chance)), None)
