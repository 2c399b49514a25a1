"""What every step of the demo is told with: one call after the other, each timed and shown."""

import time
from collections.abc import AsyncIterator, Awaitable
from typing import TypeVar

import anyio
from attrs import frozen

from ultracart_conversation._cli.screen import Screen
from ultracart_conversation._rest.http_info import HttpInfo, http_info
from ultracart_conversation.client import ConversationClient
from ultracart_conversation.errors import UltraCartError, Undecodable
from ultracart_conversation.sandbox import Sandbox

T = TypeVar("T")
_PAUSE = 0.25


@frozen
class Tour:
    """A client, the sandbox it speaks to, and the screen that shows both."""

    client: ConversationClient
    sandbox: Sandbox
    screen: Screen

    async def call(self, code: str, operation: Awaitable[T]) -> T:
        """Carry out `operation`, shown as `code`, and give the viewer a moment to read it."""
        self.status(code)
        started, frames = time.perf_counter(), self._frames()
        with http_info() as info:
            try:
                return await operation
            finally:
                sent = exchanged(info) or f"{self._frames() - frames} frame"
                self.screen.call(code, sent, time.perf_counter() - started)
                self.status("")
                await self.pause()

    async def failure(self, code: str, operation: Awaitable[object]) -> UltraCartError:
        """Carry out `operation`, which is expected to fail, and return how it did."""
        try:
            await self.call(code, operation)
        except UltraCartError as error:
            return error
        raise RuntimeError(f"{code} succeeded although the sandbox was told to fail it")

    async def pause(self) -> None:
        """A moment to read."""
        await anyio.sleep(_PAUSE)

    def status(self, text: str) -> None:
        """What goes on now, and what it cost so far."""
        used = self.client.budget.statistics()
        left = "" if used.hour is None else f", {used.hour.left} of {used.hour.burst} left"
        self.screen.status(f"{used.used} requests{left}   {text}")

    def _frames(self) -> int:
        """The messages that the sandbox got on websockets."""
        return self.sandbox.sockets.frames.received["message"]


def exchanged(info: HttpInfo) -> str:
    """What went over the wire, such as `3 x GET 200`, `GET 503, 200`, `GET 200, PUT 200` or `PUT lost`; "" for none."""
    kinds = [(exchange.method, str(exchange.status_code or "lost")) for exchange in info.exchanges]
    if len(kinds) > 1 and len(set(kinds)) == 1:
        return f"{len(kinds)} x {' '.join(kinds[0])}"
    methods = [method for method, _ in kinds]
    shown = [
        status if method == before else f"{method} {status}"
        for (method, status), before in zip(kinds, ["", *methods], strict=False)
    ]
    return ", ".join(shown)


async def collect(items: AsyncIterator[T]) -> list[T]:
    """All of them."""
    return [item async for item in items]


def given(value: T | None, name: str) -> T:
    """`value`, which a reply that is any good has."""
    if value is None:
        raise Undecodable(f"the reply has no {name}")
    return value
