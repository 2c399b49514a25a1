"""Long lists in pieces that a statement can take."""

from collections.abc import Iterator, Sequence
from typing import TypeVar

T = TypeVar("T")

_MOST = 500


def chunks(values: Sequence[T], *, size: int = _MOST) -> Iterator[Sequence[T]]:
    """`values` in order, at most `size` at a time; nothing for none."""
    for start in range(0, len(values), size):
        yield values[start : start + size]
