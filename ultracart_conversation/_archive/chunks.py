"""Long lists in pieces that a statement can take."""

from collections.abc import Iterator, Sequence
from typing import TypeVar

T = TypeVar("T")

_MOST = 500


def chunks(values: Sequence[T]) -> Iterator[Sequence[T]]:
    """`values` in order, a piece at a time; nothing for none."""
    for start in range(0, len(values), _MOST):
        yield values[start : start + _MOST]
