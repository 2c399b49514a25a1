"""What was handed over and not yet dealt with, of one conversation."""

from collections.abc import Iterable, Mapping
from typing import Self

import attrs

from ultracart_conversation._sync.known import Known


@attrs.frozen
class Pending:
    """Messages that must be handed over again after a restart."""

    epoch: int
    """The earliest of them, in milliseconds."""
    keys: frozenset[str] = frozenset()
    first: int | None = None
    """Besides the keys, everything that was handed over under this number or a later one."""

    def __or__(self, other: Self) -> Self:
        firsts = [first for first in (self.first, other.first) if first is not None]
        return type(self)(min(self.epoch, other.epoch), self.keys | other.keys, min(firsts, default=None))

    def holds(self, key: str, known: Known) -> bool:
        """Whether this message is among them."""
        return key in self.keys or (self.first is not None and known.updated >= self.first)


def united(parts: Iterable[Mapping[str, Pending]]) -> dict[str, Pending]:
    """What is pending with any of several consumers, by conversation."""
    whole: dict[str, Pending] = {}
    for part in parts:
        for uuid, pending in part.items():
            whole[uuid] = whole[uuid] | pending if uuid in whole else pending
    return whole
