"""Enums that a newer server may widen without breaking anybody."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Self


class OpenEnum(StrEnum):
    """A `StrEnum` that keeps a value it does not know.

    `Medium("fax")` is a `Medium`, equals `"fax"`, is written back as `"fax"` and says `is_known == False`.
    Because any string may turn up, a `match` over the members needs a `case _`.
    """

    @classmethod
    def known(cls) -> Mapping[str, Self]:
        """The members that the contract lists, by value."""
        return cls._value2member_map_  # type: ignore[return-value]  # pyright: ignore[reportReturnType]

    @property
    def is_known(self) -> bool:
        """Whether the contract lists this value."""
        return self._value_ in type(self)._value2member_map_

    @classmethod
    def _missing_(cls, value: object) -> Self | None:
        if not isinstance(value, str):
            return None
        # UltraCart has published enum values with a leading space.
        if known := cls.known().get(value.strip()):
            return known
        stranger = str.__new__(cls, value)
        stranger._name_ = stranger._value_ = value
        return stranger
