"""Where a session stands, as a value that outlives the process."""

from collections.abc import Mapping, Sequence
from typing import Any, Self

import attrs

from ultracart_conversation._sync.page_shape import PageShape
from ultracart_conversation._sync.track import Track
from ultracart_conversation.errors import ConfigurationError

_VERSION = 1
_time = attrs.validators.optional(attrs.validators.instance_of(int))


@attrs.frozen(kw_only=True)
class Checkpoint:
    """What a session has handed over, and what it learned of the service; a later session goes on from here.

    `to_dict` gives JSON to keep, `from_dict` reads it again. It holds no message and no secret: only UUIDs, epochs in
    milliseconds since 1970, and digests.
    """

    mark: int | None = attrs.field(validator=_time)
    """Up to where the list of conversations was read, in milliseconds by the service's clock."""
    start: int | None = attrs.field(validator=_time)
    """Where the very first session began, likewise."""
    shape_learned: Mapping[str, Any]
    """How the service cuts its pages."""
    conversations: Sequence[Mapping[str, Any]] = attrs.field(repr=lambda value: f"<{len(value)} conversations>")
    """What was handed over of each."""

    def to_dict(self) -> dict[str, Any]:
        """As JSON can say it."""
        return {
            "version": _VERSION,
            "mark": self.mark,
            "start": self.start,
            "shape": dict(self.shape_learned),
            "conversations": [dict(each) for each in self.conversations],
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any], /) -> Self:
        """What `to_dict` gave; raises `ConfigurationError` for anything else."""
        try:
            if data["version"] != _VERSION:
                raise ConfigurationError(
                    f"the checkpoint has version {data['version']!r} and this package reads version {_VERSION}: "
                    "begin without it, or use the package that wrote it"
                )
            checkpoint = cls(
                mark=data["mark"],
                start=data["start"],
                shape_learned=data["shape"],
                conversations=data["conversations"],
            )
            checkpoint.shape()
            checkpoint.tracks()
        except (LookupError, TypeError, ValueError, AttributeError) as error:
            what = f"{type(error).__name__}: {error}"
            raise ConfigurationError(f"this is no checkpoint ({what}): begin without it") from None
        return checkpoint

    def shape(self) -> PageShape:
        """What was learned of the service's pages."""
        return PageShape.from_dict(self.shape_learned)

    def tracks(self) -> dict[str, Track]:
        """What was handed over, by conversation."""
        tracks = [Track.from_dict(each) for each in self.conversations]
        return {track.uuid: track for track in tracks}
