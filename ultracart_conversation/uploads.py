"""Files for messages: a file in, a key out."""

import mimetypes
import os
from collections.abc import AsyncIterable, AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from inspect import isawaitable
from pathlib import Path
from types import NoneType
from typing import TYPE_CHECKING, Protocol, TypeAlias

import anyio

from ultracart_conversation._rest.call import exchange_of
from ultracart_conversation._rest.operation import Operation
from ultracart_conversation._rest.outcome import Outcome, Reply
from ultracart_conversation._rest.verdict import judge
from ultracart_conversation.errors import ConfigurationError, UltraCartError, Undecodable
from ultracart_conversation.exchange import Exchange

if TYPE_CHECKING:
    from ultracart_conversation._rest.transport import HttpTransport
    from ultracart_conversation.client import ConversationClient

Progress = Callable[[int, int], Awaitable[None] | None]
"""Called with the bytes sent so far and the bytes in all; may be async."""
Source: TypeAlias = "str | os.PathLike[str] | bytes | AsyncIterable[bytes]"
"""What can be uploaded: a path, or bytes."""
_CHUNK = 64 * 1024
_IN_MEMORY = 1024 * 1024
_PUT = Operation("uploads.put", "PUT", "/{presigned_url}", NoneType, repeatable=True)


class _File(Protocol):
    async def seek(self, offset: int, whence: int = ..., /) -> int: ...
    async def read(self, size: int = ..., /) -> bytes: ...


class Uploads:
    """`client.uploads`: puts files where messages can refer to them by key."""

    def __init__(
        self, client: "ConversationClient", transport: "HttpTransport", tell: Callable[[Exchange], Awaitable[None]]
    ) -> None:
        self._client = client
        self._transport = transport
        self._tell = tell

    async def put(
        self,
        source: Source,
        *,
        extension: str | None = None,
        progress: Progress | None = None,
    ) -> str:
        """Upload a path, bytes, or an async iterable of bytes; returns the key for a message's `upload_keys`.

        `extension`, such as `"png"`, is needed unless the path has one. The bytes are streamed from a path; those of
        an iterable are spooled to a temporary file first, as the receiver wants to know their number. They go to the
        presigned URL without our credentials and with the extension's content type, and once more without it if that
        is refused: whether the type is part of the signature is unknown.

        Raises any error of `get_conversation_multimedia_upload_url`, a `ReplyError` when the upload is refused, and
        `ConfigurationError` when the source cannot be read.
        """
        extension = _extension(source, extension)
        async with AsyncExitStack() as stack:
            file = await _opened(stack, source)
            size = await file.seek(0, os.SEEK_END)
            content_type = mimetypes.guess_type(f"file.{extension}")[0]
            key, outcome = await self._put(file, size, extension, content_type, progress)
            if isinstance(outcome, Reply) and outcome.status_code == 403 and content_type is not None:
                key, outcome = await self._put(file, size, extension, None, progress)
        verdict = judge(_PUT, outcome)
        if isinstance(verdict, UltraCartError):
            verdict.operation = _PUT.name
            raise verdict
        return key

    async def _put(
        self, file: _File, size: int, extension: str, content_type: str | None, progress: Progress | None
    ) -> tuple[str, Outcome]:
        reply = await self._client.get_conversation_multimedia_upload_url(extension)
        target = reply.conversation_multimedia_upload_url
        if target is None or not target.url or not target.key:
            raise Undecodable("get_conversation_multimedia_upload_url: the reply has no url and key")
        await file.seek(0)
        started = anyio.current_time()
        outcome = await self._transport.put_presigned(
            target.url, _chunks(file, size, progress), size=size, content_type=content_type
        )
        await self._tell(exchange_of(_PUT, outcome, attempt=1, elapsed=anyio.current_time() - started))
        return target.key, outcome


def _extension(source: Source, extension: str | None) -> str:
    named = extension or ("" if isinstance(source, bytes | AsyncIterable) else _suffix(source))
    if not named.strip("."):
        raise ConfigurationError('uploads.put: say which kind of file it is, for example extension="png"')
    return named.removeprefix(".")


def _suffix(path: "str | os.PathLike[str]") -> str:
    return Path(path).suffix


async def _opened(stack: AsyncExitStack, source: Source) -> _File:
    if isinstance(source, str | os.PathLike):
        try:
            return await stack.enter_async_context(await anyio.open_file(source, "rb"))
        except OSError as error:
            raise ConfigurationError(f"uploads.put: cannot read {os.fspath(source)}: {error.strerror}") from None
    spool = anyio.SpooledTemporaryFile(max_size=_IN_MEMORY)
    file = await stack.enter_async_context(spool)
    async for chunk in _parts(source):
        await file.write(chunk)
    return file


async def _parts(source: bytes | AsyncIterable[bytes]) -> AsyncIterator[bytes]:
    if isinstance(source, bytes):
        yield source
    else:
        async for part in source:
            yield part


async def _chunks(file: _File, size: int, progress: Progress | None) -> AsyncIterator[bytes]:
    sent = 0
    while chunk := await file.read(_CHUNK):
        yield chunk
        sent += len(chunk)
        if progress is not None:
            called = progress(sent, size)
            if isawaitable(called):
                await called
