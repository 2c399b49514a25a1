"""Somebody who reads the change feed while others write it, and acknowledges what was read."""

import asyncio
from pathlib import Path
from random import Random
from threading import Event, Thread
from types import TracebackType
from typing import Self

from tests.live.kills.victims import PATIENCE
from ultracart_conversation.archive import Archive, ArchivedChange

_NAME = "dashboard"
_PAUSE = 0.003


class Consumer:
    """Opens the archive again and again, in a thread of its own; `seen` is all that it was given."""

    def __init__(self, archive: Path, *, seed: int) -> None:
        self.seen: list[ArchivedChange] = []
        self._path = archive
        self._chance = Random(seed)
        self._is_over = Event()
        self._error: BaseException | None = None
        self._thread = Thread(target=self._run, name="consumer")

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._is_over.set()
        self._thread.join(PATIENCE)
        assert not self._thread.is_alive(), "the consumer does not come to an end"

    def finish(self) -> list[ArchivedChange]:
        """Read to the end; all that was ever read. Raises what went wrong."""
        self._is_over.set()
        self._thread.join(PATIENCE)
        if self._error is not None:
            raise self._error
        return self.seen

    def _run(self) -> None:
        try:
            asyncio.run(self._consume())
        except BaseException as error:  # noqa: BLE001 - it is raised where the consumer is waited for
            self._error = error

    async def _consume(self) -> None:
        while not self._is_over.is_set():
            async with Archive(self._path, busy_timeout=PATIENCE) as archive:
                for _ in range(self._chance.randint(1, 12)):
                    await self._take(archive, limit=self._chance.randint(1, 9))
                    await asyncio.sleep(_PAUSE)
        async with Archive(self._path, busy_timeout=PATIENCE) as archive:
            while await self._take(archive, limit=100):
                pass

    async def _take(self, archive: Archive, *, limit: int) -> int:
        some = [change async for change in archive.changes(consumer=_NAME, limit=limit)]
        if some:
            await archive.acknowledge(_NAME, some[-1].seq)
        self.seen += some
        return len(some)
