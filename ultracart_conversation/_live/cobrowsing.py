"""Putting co-browsing recordings (rrweb) together from their parts. Pure; the time is a parameter.

What the fields of a part mean is inferred from their names: parts count from 1, and a SHA-256 is that of the UTF-8
bytes of `data`, in hexadecimal. Any field may be missing. A part without its own SHA-256 is accepted, as that of the
whole covers it. Several parts without that of the whole are not, as nothing shows that they belong together. A single
part without either is: it is whole because its frame is.
"""

from hashlib import sha256

import attrs

from ultracart_conversation._live.frames import CobrowsingPart
from ultracart_conversation._sync.recent import Recent
from ultracart_conversation.events import CobrowsingLost, CobrowsingRecorded
from ultracart_conversation.models import ConversationEventRRWeb, RRWebType

_OVERHEAD = 128
_REMEMBERED = 1_024
_Key = tuple[str | None, int]


@attrs.frozen
class _Identity:
    """What tells one piece from another; parts of two identities are never mixed."""

    key: _Key
    """The conversation, and the number of the piece in it, which comes again when the recording starts again."""
    sha256: str | None
    """Of the whole."""


class _Unusable(Exception):
    """Why a piece is lost."""


@attrs.define(eq=False)
class _Piece:
    """The parts of one piece so far."""

    identity: _Identity
    total: int
    started: float
    latest: CobrowsingPart
    parts: dict[int, bytes] = attrs.field(factory=dict[int, bytes])
    initial: bool = False
    size: int = 0

    @property
    def complete(self) -> bool:
        return len(self.parts) == self.total

    def put(self, number: int, data: bytes) -> None:
        if number not in self.parts:
            self.parts[number] = data
            self.size += len(data) + _OVERHEAD
        elif self.parts[number] != data:
            raise _Unusable(f"part {number} came twice with different data")

    def whole(self) -> CobrowsingRecorded:
        data = b"".join([self.parts[number] for number in sorted(self.parts)])
        if not _matches(self.identity.sha256, data):
            raise _Unusable("the whole does not match its SHA-256")
        return CobrowsingRecorded(
            conversation_uuid=self.latest.conversation_uuid,
            received_at=self.latest.received_at,
            generation=self.latest.generation,
            index=self.identity.key[1],
            initial=self.initial,
            data=data.decode(),
        )


class Assembly:
    """Joins the parts of recordings, in whatever order and however often they come.

    Each piece comes out once, whole or as lost. Bounded in bytes, pieces and seconds; of what is too much, the oldest
    piece is lost first. Parts that come after the end of their piece are ignored, for the last 1,024 pieces.
    """

    def __init__(
        self,
        *,
        capacity: int = 8 * 1024 * 1024,
        largest: int = 4 * 1024 * 1024,
        pieces: int = 64,
        patience: float = 60.0,
    ) -> None:
        """`capacity` bytes in all and `largest` of one piece, with 128 more for each part; `patience` in seconds."""
        self._capacity = capacity
        self._largest = largest
        self._most = pieces
        self._patience = patience
        self._pieces: dict[_Key, _Piece] = {}
        self._ended = Recent[_Identity, None](_REMEMBERED)
        self._size = 0

    @property
    def size(self) -> int:
        """Bytes held, with 128 more for each part."""
        return self._size

    @property
    def pending(self) -> int:
        """Pieces that are not complete yet."""
        return len(self._pieces)

    def add(self, part: CobrowsingPart, *, now: float) -> list[CobrowsingRecorded | CobrowsingLost]:
        """Take a part in, at `now` seconds; what that completes, and what is lost by now."""
        ended: list[CobrowsingRecorded | CobrowsingLost] = [*self.expire(now=now)]
        index = part.part.event_index
        if index is None:
            return [*ended, _lost(part, "it has no event_index")]
        identity = _identity(part, index)
        if identity not in self._ended:
            ended += self._settle_conflict(identity, part)
        if identity not in self._ended:
            ended += self._collect(identity, part, now)
        return ended

    def expire(self, *, now: float) -> list[CobrowsingLost]:
        """Give up what is incomplete for too long."""
        old = [piece for piece in self._pieces.values() if now - piece.started >= self._patience]
        return [self._lose(piece, f"incomplete after {self._patience:g} s") for piece in old]

    def clear(self, reason: str) -> list[CobrowsingLost]:
        """Give up everything that is incomplete."""
        return [self._lose(piece, reason) for piece in list(self._pieces.values())]

    def _settle_conflict(self, identity: _Identity, part: CobrowsingPart) -> list[CobrowsingLost]:
        """End the other piece of the same number, if any; and this one with it, unless the recording starts again."""
        other = self._pieces.get(identity.key)
        if other is None or other.identity == identity:
            return []
        if part.part.type == RRWebType.INIT:
            return [self._lose(other, "the recording started again")]
        self._ended.set(identity, None)
        return [self._lose(other, "its parts contradict each other")]

    def _collect(
        self, identity: _Identity, part: CobrowsingPart, now: float
    ) -> list[CobrowsingRecorded | CobrowsingLost]:
        piece = self._pieces.setdefault(identity.key, _Piece(identity, _total(part.part), now, part))
        piece.latest = part
        try:
            self._put(piece, part.part)
            if not piece.complete:
                return [*self._make_room()]
            recorded = piece.whole()
        except _Unusable as why:
            return [self._lose(piece, str(why))]
        self._end(piece)
        return [recorded]

    def _put(self, piece: _Piece, part: ConversationEventRRWeb) -> None:
        number, data = _checked(part, piece)
        held = piece.size
        piece.put(number, data)
        piece.initial |= part.type == RRWebType.INIT
        self._size += piece.size - held
        if piece.size > self._largest:
            raise _Unusable(f"larger than {self._largest:,} bytes")

    def _make_room(self) -> list[CobrowsingLost]:
        lost: list[CobrowsingLost] = []
        while self._size > self._capacity or len(self._pieces) > self._most:
            lost.append(self._lose(next(iter(self._pieces.values())), "too much is recorded at once"))
        return lost

    def _lose(self, piece: _Piece, why: str) -> CobrowsingLost:
        self._end(piece)
        return _lost(piece.latest, why)

    def _end(self, piece: _Piece) -> None:
        del self._pieces[piece.identity.key]
        self._size -= piece.size
        self._ended.set(piece.identity, None)


def _identity(part: CobrowsingPart, index: int) -> _Identity:
    whole = part.part.data_total_sha256
    if whole is None and _total(part.part) == 1:
        whole = sha256((part.part.data or "").encode(errors="replace")).hexdigest()
    # One digit more than a SHA-256 has is enough to tell that it is none, and bounds what is remembered.
    return _Identity((part.conversation_uuid, index), None if whole is None else whole.strip().lower()[:65])


def _total(part: ConversationEventRRWeb) -> int:
    return 1 if part.data_total_parts is None else part.data_total_parts


def _checked(part: ConversationEventRRWeb, piece: _Piece) -> tuple[int, bytes]:
    """The number and the bytes of a part, if they can belong to this piece."""
    total = _total(part)
    number = 1 if part.data_part is None and total == 1 else part.data_part
    if total != piece.total or number is None or not 1 <= number <= total:
        raise _Unusable(f"part {number} of {total} does not fit a piece of {piece.total}")
    if total > 1 and piece.identity.sha256 is None:
        raise _Unusable("several parts and no SHA-256 of the whole")
    data = _bytes(part)
    if not _matches(part.data_sha256, data):
        raise _Unusable(f"part {number} does not match its SHA-256")
    return number, data


def _bytes(part: ConversationEventRRWeb) -> bytes:
    if part.data is None:
        raise _Unusable("a part without data")
    try:
        return part.data.encode()
    except UnicodeEncodeError:
        raise _Unusable("its data is no Unicode text") from None


def _matches(expected: str | None, data: bytes) -> bool:
    return expected is None or expected.strip().lower() == sha256(data).hexdigest()


def _lost(part: CobrowsingPart, why: str) -> CobrowsingLost:
    return CobrowsingLost(
        conversation_uuid=part.conversation_uuid,
        received_at=part.received_at,
        generation=part.generation,
        index=part.part.event_index,
        reason=why,
    )
