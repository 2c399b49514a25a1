"""`sync`: an archive is brought up to date, and kept so where that is asked for."""

import sys
from argparse import Namespace

import anyio
import attrs

from ultracart_conversation._cli.hangup import notice_hangup
from ultracart_conversation._cli.impossible import Impossible
from ultracart_conversation._cli.patience import Patience
from ultracart_conversation._cli.sync_progress import SyncProgress, progress_for
from ultracart_conversation._cli.sync_story import Story
from ultracart_conversation._poll.reader import FATAL
from ultracart_conversation._poll.statistics import PollerStatistics
from ultracart_conversation._rest.budget import Budget
from ultracart_conversation.archive import Archive
from ultracart_conversation.client import ConversationClient
from ultracart_conversation.errors import Fenced, UltraCartError
from ultracart_conversation.limits import Limits
from ultracart_conversation.login import stored_credentials
from ultracart_conversation.poller import MessagePoller

_TICK = 0.5
_LAST_WORDS = 1.0
"""Seconds that a reader has for the last line."""


async def sync(arguments: Namespace) -> None:
    """Read all that is new and what is left of the past, once or until interrupted.

    Raises `Impossible` when another sync has taken the archive over, or when the archive follows something else.
    """
    credentials = stored_credentials()
    try:
        async with Archive(arguments.archive) as archive:
            await _check_medium(archive, arguments)
            budget = Budget(Limits(), store=archive.budget_store())
            async with (
                ConversationClient(credentials=credentials, limits=budget) as client,
                _poller(client, archive, arguments) as poller,
            ):
                await _Sync(poller, progress_for(sys.stdout, _story(arguments), json=arguments.json)).run(
                    follow=arguments.follow is not None
                )
    except Fenced as error:
        raise Impossible(f"another sync has taken over {arguments.archive}: this one has stopped") from error


async def _check_medium(archive: Archive, arguments: Namespace) -> None:
    checkpoint = await archive.claim()
    if checkpoint is not None and (kept := checkpoint.head.get("medium")) != arguments.medium:
        how = f"with --medium {kept}" if kept else "without --medium"
        raise Impossible(f"{arguments.archive} follows {_what(kept)}: go on {how}, or name another file with --archive")


def _poller(client: ConversationClient, archive: Archive, arguments: Namespace) -> MessagePoller:
    return MessagePoller(
        client,
        archive=archive,
        since=arguments.since,
        medium=arguments.medium,
        order="oldest" if arguments.oldest_first else "newest",
        interval=arguments.follow or None,
    )


def _story(arguments: Namespace) -> Story:
    since = "" if arguments.since is None else f" since {arguments.since:%Y-%m-%d %H:%M %Z}"
    order = "oldest" if arguments.oldest_first else "newest"
    return Story(
        arguments.archive,
        wanted=f"{_what(arguments.medium)}{since}, {order} first",
        follows=arguments.follow is not None,
    )


def _what(medium: str | None) -> str:
    return {"sms": "all SMS", "websocket": "all webchats"}.get(medium or "", "everything")


class _Sync:
    """A poller at work, and what shows that."""

    def __init__(self, poller: MessagePoller, progress: SyncProgress) -> None:
        self._poller = poller
        self._progress = progress
        self._error: str | None = None
        self._is_done = False

    async def run(self, *, follow: bool) -> None:
        """Work, show it, and say at the end what was reached, however it ended."""
        try:
            await self._progress.begin(self._statistics())
            await self._beside(follow=follow)
        except ExceptionGroup as group:
            raise group.exceptions[0] from group
        finally:
            with anyio.move_on_after(_LAST_WORDS, shield=True):
                await self._progress.end(self._statistics(), self._poller.quarantined(), is_done=self._is_done)

    async def _beside(self, *, follow: bool) -> None:
        async with anyio.create_task_group() as group:
            group.start_soon(notice_hangup, sys.stdout, name="sync: the reader")
            group.start_soon(self._tick, name="sync: the progress")
            await (self._follow() if follow else self._once())
            group.cancel_scope.cancel()

    async def _tick(self) -> None:
        while True:
            await anyio.sleep(_TICK)
            await self._progress.tick(self._statistics())

    async def _follow(self) -> None:
        async for batch in self._poller.batches():
            await self._progress.found(batch.changes, self._statistics())

    async def _once(self) -> None:
        patience = Patience()
        while not self._is_done:
            try:
                await self._poller.run_once()
                self._is_done = True
            except FATAL:
                raise
            except UltraCartError as error:
                if (seconds := patience.after(self._reached())) is None:
                    raise
                await self._pause(error, seconds)

    async def _pause(self, error: UltraCartError, seconds: float) -> None:
        self._error = str(error)
        await anyio.sleep(seconds)
        self._error = None

    def _reached(self) -> tuple[int, ...] | None:
        """What changes as long as there is progress; None before the first look was any good."""
        statistics = self._poller.statistics()
        return (statistics.conversations, statistics.backlog, statistics.new) if statistics.passes else None

    def _statistics(self) -> PollerStatistics:
        return attrs.evolve(self._poller.statistics(), last_error=self._error or self._poller.statistics().last_error)
