"""What was learned of how a service cuts its pages of messages."""

from collections.abc import Mapping
from typing import Any, Self

import attrs

_whole_number = attrs.validators.instance_of(int)
_flag = attrs.validators.instance_of(bool)


@attrs.define
class PageShape:
    """Learned from replies, never assumed; it serves the next reading, and the next process."""

    largest: int = attrs.field(default=0, validator=_whole_number)
    """The most messages that one page ever held."""
    inclusive: bool = attrs.field(default=False, validator=_flag)
    """Whether `since` was seen to include its own millisecond."""
    keeps_oldest: bool | None = attrs.field(default=None, validator=attrs.validators.optional(_flag))
    """Which end a page keeps when it is cut; None until seen."""
    counts: bool = attrs.field(default=True, validator=_flag)
    """False once a conversation's own `message_count` was wrong, and claimed messages that no complete read had."""

    counted: int = attrs.field(default=0, validator=_whole_number)
    """The most messages of one conversation, notices among them, that `message_count` counted right."""

    def counted_right(self, messages: int, *, notices: bool) -> None:
        """`message_count` was the number of messages that a complete read of all had."""
        if notices:
            self.counted = max(self.counted, messages)

    def is_exact(self, count: int) -> bool:
        """Whether `message_count` is known to tell such a number exactly.

        It may leave notices out, or stop at some number (inferred), so a larger one must have been seen to be right.
        """
        return self.counts and count < self.counted

    @classmethod
    def from_dict(cls, data: Mapping[str, Any], /) -> Self:
        """What `to_dict` gave; raises `TypeError` for anything else."""
        return cls(**data)

    def to_dict(self) -> dict[str, Any]:
        """As JSON can say it."""
        return attrs.asdict(self)
