"""What the service sends and the contract does not know, counted and said once."""

import logging
from collections import Counter
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from types import MappingProxyType

_logger = logging.getLogger("ultracart_conversation.drift")
_LARGEST_KIND = 1_000


class Drift:
    """Counts of the service's departures from the contract, by place.

    Each place is logged once, at WARNING, without the value of a field. At most 1,000 places of a kind are
    told apart; later ones are counted together under `"…"`.
    """

    __slots__ = ("_unknown_fields", "_unknown_values", "_wrong_types")

    def __init__(self) -> None:
        self._unknown_fields: Counter[str] = Counter()
        self._unknown_values: Counter[str] = Counter()
        self._wrong_types: Counter[str] = Counter()

    @property
    def unknown_fields(self) -> Mapping[str, int]:
        """`"Conversation.new_field" -> times seen`; the values are in the models' `extra`."""
        return MappingProxyType(self._unknown_fields)

    @property
    def unknown_values(self) -> Mapping[str, int]:
        """`"Medium.fax" -> times seen`; the values are in the fields, with `is_known == False`."""
        return MappingProxyType(self._unknown_values)

    @property
    def wrong_types(self) -> Mapping[str, int]:
        """`"ConversationMessage.body: int" -> times seen`; the values are in the models' `extra`."""
        return MappingProxyType(self._wrong_types)

    def __bool__(self) -> bool:
        return bool(self._unknown_fields or self._unknown_values or self._wrong_types)

    def __repr__(self) -> str:
        return (
            f"Drift(unknown_fields={dict(self._unknown_fields)}, unknown_values={dict(self._unknown_values)}, "
            f"wrong_types={dict(self._wrong_types)})"
        )

    def unknown_field(self, model: str, field: str) -> None:
        """Count a field that the contract does not list."""
        self._count(self._unknown_fields, f"{model}.{field}", "an unknown field: kept in .extra")

    def unknown_value(self, enum: str, value: str) -> None:
        """Count an enum value that the contract does not list."""
        self._count(self._unknown_values, f"{enum}.{value[:64]}", "an unknown enum value: kept as it is")

    def wrong_type(self, model: str, field: str, found: object) -> None:
        """Count a field whose value has another type than the contract says."""
        place = f"{model}.{field}: {type(found).__name__}"
        self._count(self._wrong_types, place, "a value of an unexpected type or form: kept in .extra")

    @staticmethod
    def _count(counter: Counter[str], place: str, what: str) -> None:
        if place not in counter:
            if len(counter) >= _LARGEST_KIND:
                place = "…"
            else:
                _logger.warning("the service sent %s (%s)", what, place)
        counter[place] += 1


_elsewhere = Drift()
_current: ContextVar[Drift] = ContextVar("ultracart_conversation_drift", default=_elsewhere)


def current_drift() -> Drift:
    """Where the reading under way reports to; one for the whole process outside `reporting_to`."""
    return _current.get()


@contextmanager
def reporting_to(drift: Drift) -> Generator[None]:
    """Report what is read in this block to `drift`."""
    token = _current.set(drift)
    try:
        yield
    finally:
        _current.reset(token)
