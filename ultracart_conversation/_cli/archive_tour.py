"""The end of the demo: everything is kept in an archive, and what that costs."""

import tempfile
from contextlib import AsyncExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path

from ultracart_conversation._cli.sync_words import counted
from ultracart_conversation._cli.text import one_line
from ultracart_conversation._cli.tour import Tour
from ultracart_conversation.archive import Archive
from ultracart_conversation.errors import ConfigurationError
from ultracart_conversation.poller import MessagePoller

_DAYS = 2
_WORD = "lid"
_LINES = (
    "Has the new lid been sent?",
    "Does the lid fit the small pot too?",
    "My cat has broken the lid.",
    "A lid alone, what would that be?",
    "Thank you, the lid is here!",
)


async def keep_everything(tour: Tour) -> None:
    """Look three times, the second time after some customers wrote; without the extra `archive`, say how to get it."""
    tour.screen.heading("Keep everything")
    async with AsyncExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="ultracart-conversation-"))
        try:
            archive = await stack.enter_async_context(Archive(Path(folder) / "conversations.db"))
        except ConfigurationError as error:
            tour.screen.note(f"Left out here, as {error}")
            return
        since = datetime.now(UTC) - timedelta(days=_DAYS)
        poller = MessagePoller(tour.client, archive=archive, since=since)
        await _Keeping(tour, archive, await stack.enter_async_context(poller)).go()


class _Keeping:
    """A poller and its archive, beside a sandbox that counts the requests."""

    def __init__(self, tour: Tour, archive: Archive, poller: MessagePoller) -> None:
        self._tour = tour
        self._archive = archive
        self._poller = poller
        self._new = 0

    async def go(self) -> None:
        """Everything, what changed, nothing; then what it cost, and a search."""
        show, uuids = self._tour.screen, self._tour.sandbox.conversation_uuids
        await self._look(f"MessagePoller(client, archive=…, since={_DAYS} days ago)")
        show.result(f"{await self._archived()}, in a SQLite file")
        for uuid, line in zip([*uuids[-3:], *uuids[:2]], _LINES, strict=True):
            self._tour.sandbox.customer(uuid).write(line)
        show.note(f"{len(_LINES)} customers write, some of them in conversations that rested for weeks:")
        cost = await self._look("poller.run_once()")
        show.result(f"{counted(self._new, 'new message')}, for {counted(cost, 'request')}")
        idle = await self._look("poller.run_once()")
        show.result(f"{counted(self._new, 'new message')}, for {counted(idle, 'request')}")
        show.note(
            f"By the sandbox's own count, these two looks took {counted(cost + idle, 'request')}. To ask each of the "
            f"{len(uuids)} conversations at each look would have taken {2 * len(uuids):,}."
        )
        await self._search()

    async def _look(self, code: str) -> int:
        """The requests that one look took, as the sandbox counted them."""
        before, had = self._tour.sandbox.request_counts.total(), (await self._archive.statistics()).messages
        await self._tour.call(code, self._poller.run_once())
        self._new = (await self._archive.statistics()).messages - had
        return self._tour.sandbox.request_counts.total() - before

    async def _archived(self) -> str:
        held = await self._archive.statistics()
        return f"{counted(held.conversations, 'conversation')} with {counted(held.messages, 'message')}"

    async def _search(self) -> None:
        hits = await self._archive.search(_WORD)
        self._tour.screen.note(f'archive.search("{_WORD}") finds {counted(len(hits), "message")}, for no request:')
        for hit in hits[:3]:
            author = one_line(hit.message.author_conversation_participant_name) or "(notice)"
            self._tour.screen.result(f"{author}: {one_line(hit.excerpt)}")
