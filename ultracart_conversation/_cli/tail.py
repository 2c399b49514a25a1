"""`tail`: what happens, as it happens."""

import sys
from argparse import Namespace

import anyio

from ultracart_conversation._cli.checkpoint_file import CheckpointFile
from ultracart_conversation._cli.hangup import notice_hangup
from ultracart_conversation._cli.journal import Journal, journal_for
from ultracart_conversation._cli.output import Output
from ultracart_conversation._cli.writer import Writer
from ultracart_conversation.client import ConversationClient
from ultracart_conversation.config import base_url_from_env
from ultracart_conversation.session import AgentSession

_SAVE_EVERY = 1.0


async def tail(client: ConversationClient, _: Output, arguments: Namespace) -> None:
    """Print every event until interrupted; go on where the last run ended, where there is a checkpoint."""
    file = None
    if arguments.checkpoint is not None:
        file = CheckpointFile(arguments.checkpoint, base_url=base_url_from_env())
    journal = journal_for(sys.stdout, json=arguments.json)
    async with AgentSession(client, follow=arguments.follow, checkpoint=file.load() if file else None) as session:
        try:
            await _print(session, journal, file)
        except ExceptionGroup as group:
            raise group.exceptions[0] from group
        finally:
            if file is not None:
                file.save(session.checkpoint())


async def _print(session: AgentSession, journal: Journal, file: CheckpointFile | None) -> None:
    writer = Writer(sys.stdout)
    async with anyio.create_task_group() as group:
        group.start_soon(notice_hangup, sys.stdout, name="tail: the reader")
        if file is not None:
            group.start_soon(_keep_saving, session, file, name="tail: the checkpoint")
        async for event in session:
            await writer.write(journal.render(event))
        group.cancel_scope.cancel()


async def _keep_saving(session: AgentSession, file: CheckpointFile) -> None:
    while True:
        await anyio.sleep(_SAVE_EVERY)
        file.save(session.checkpoint())
