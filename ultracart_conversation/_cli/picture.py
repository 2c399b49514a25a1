"""A small picture made in code, so that there is something to upload."""

import struct
import zlib
from collections.abc import Sequence
from itertools import chain

Colour = tuple[int, int, int]
Pixels = Sequence[Sequence[Colour]]

_PALETTE: dict[str, Colour] = {
    ".": (250, 244, 230),
    "o": (96, 24, 32),
    "r": (190, 52, 60),
    "w": (240, 150, 150),
    "g": (120, 160, 110),
}
_TEAPOT = """
......oo........
....rrrrrr......
o..rrrrrrrr.ooo.
oo.rwrrrrrrro..o
.oorwwrrrrrro..o
..orrwrrrrrroo.o
...rrrrrrrrrooo.
....rrrrrrrr....
.....oooooo.....
gggggggggggggggg
"""


def teapot() -> Pixels:
    """The rows of the picture, top down."""
    return [[_PALETTE[letter] for letter in line] for line in _TEAPOT.split()]


def png(pixels: Pixels, *, scale: int = 8) -> bytes:
    """`pixels` as a PNG file, each of them `scale` times `scale` large."""
    lines = [b"\0" + bytes(chain.from_iterable(colour * scale for colour in row)) for row in pixels]
    data = b"".join(line * scale for line in lines)
    size = struct.pack(">IIBBBBB", len(pixels[0]) * scale, len(pixels) * scale, 8, 2, 0, 0, 0)
    chunks = ((b"IHDR", size), (b"IDAT", zlib.compress(data, 9)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(*chunk) for chunk in chunks)


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
