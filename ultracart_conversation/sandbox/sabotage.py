"""Carries out a fault on one exchange."""

import zlib
from collections.abc import Awaitable, Callable

from starlette.responses import Response

from .envelope import Refusal, encode, error_body, refuse
from .exchange import Exchange
from .faults import Fault, FaultKind

Act = Callable[[Exchange, Fault, Response], Awaitable[None]]

_PAGE = b"<!doctype html><html><head><title>UltraCart</title></head><body><h1>One moment please</h1></body></html>"
_BLOCK = 64 * 1024


async def sabotage(exchange: Exchange, fault: Fault, perform: Callable[[], Response]) -> None:
    """Answer an admitted request as `fault` says; `perform` carries the operation out."""
    if fault.delay and await exchange.gone(within=fault.delay):
        return
    intended = perform() if fault.has_effect else Response()
    await _ACTS[fault.kind](exchange, fault, intended)


async def _whole(exchange: Exchange, _: Fault, intended: Response) -> None:
    await exchange.answer(intended)


async def _status(exchange: Exchange, fault: Fault, _: Response) -> None:
    response = refuse(Refusal(fault.status, fault.text, headers=fault.headers))
    if fault.body != "envelope":
        response.body = _PAGE if fault.body == "html" else b""
        response.headers["Content-Type"] = "text/html"
        response.headers["Content-Length"] = str(len(response.body))
    await exchange.answer(response)


async def _drop(exchange: Exchange, fault: Fault, _: Response) -> None:
    await exchange.drop(reset=fault.reset)


async def _half_header(exchange: Exchange, fault: Fault, _: Response) -> None:
    exchange.write_raw(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Le")
    await exchange.drop(reset=fault.reset)


async def _truncated(exchange: Exchange, fault: Fault, intended: Response) -> None:
    body = bytes(intended.body)
    response = Response(status_code=200, media_type="application/json")
    await exchange.begin(response, length=len(body) + 100)
    await exchange.more(body[: len(body) // 2])
    await exchange.drop(reset=fault.reset)


async def _html(exchange: Exchange, _: Fault, __: Response) -> None:
    await exchange.answer(Response(_PAGE, media_type="text/html"))


async def _empty(exchange: Exchange, _: Fault, __: Response) -> None:
    await exchange.answer(Response(media_type="application/json"))


async def _refused(exchange: Exchange, fault: Fault, _: Response) -> None:
    body = {"success": False, **error_body(fault.text)}
    await exchange.answer(Response(encode(body), media_type="application/json"))


async def _wrong_type(exchange: Exchange, _: Fault, intended: Response) -> None:
    intended.headers["Content-Type"] = "application/octet-stream"
    await exchange.answer(intended)


async def _stall(exchange: Exchange, _: Fault, __: Response) -> None:
    await exchange.gone()


async def _slow(exchange: Exchange, fault: Fault, intended: Response) -> None:
    body = bytes(intended.body)
    await exchange.begin(intended)
    for at in range(len(body)):
        await exchange.more(body[at : at + 1])
        if await exchange.gone(within=fault.interval):
            return
    await exchange.more(b"", last=True)


async def _huge(exchange: Exchange, fault: Fault, _: Response) -> None:
    response = refuse(Refusal(fault.status, fault.text, headers=fault.headers))
    await exchange.begin(response, length=fault.size)
    left = fault.size
    while left > 0:
        await exchange.more(b" " * min(left, _BLOCK))
        left -= _BLOCK
    await exchange.more(b"", last=True)


async def _gzip_bomb(exchange: Exchange, fault: Fault, _: Response) -> None:
    packed = _pack(fault.size)
    await exchange.answer(Response(packed, media_type="application/json", headers={"Content-Encoding": "gzip"}))


def _pack(size: int) -> bytes:
    """`size` spaces as gzip, without ever holding them."""
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    blocks = [packer.compress(b" " * _BLOCK) for _ in range(size // _BLOCK)]
    return b"".join([*blocks, packer.compress(b" " * (size % _BLOCK)), packer.flush()])


_ACTS: dict[FaultKind, Act] = {
    "status": _status,
    "delay": _whole,
    "drop before": _drop,
    "drop after": _drop,
    "half header": _half_header,
    "truncated body": _truncated,
    "html": _html,
    "empty": _empty,
    "refused": _refused,
    "wrong content type": _wrong_type,
    "stall": _stall,
    "slow": _slow,
    "huge body": _huge,
    "gzip bomb": _gzip_bomb,
}
