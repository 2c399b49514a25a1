"""The heart of the demo: an agent reads a conversation while its customer writes."""

import time
from collections.abc import AsyncIterator
from datetime import datetime
from typing import TypeVar

import anyio

from ultracart_conversation._cli.tour import Tour
from ultracart_conversation.models import ConversationMessage
from ultracart_conversation.sandbox import Customer

T = TypeVar("T")
_EVERY, _MOST_POLLS = 0.3, 30
_SCRIPT = (
    (0.5, "Hello, my teapot arrived, but the lid is chipped."),
    (0.8, "Order 20251006-118, packed by hand, it said."),
    (0.7, "I cannot even tell how the lid should look..."),
    (0.5, "Could you send me a picture of a whole one?"),
)


async def follow(tour: Tour, uuid: str) -> None:
    """Read the messages there are, join, and see new ones as the customer writes them."""
    tour.screen.heading("Follow a conversation while its customer writes")
    read = await tour.call("iter_messages(uuid)", collect(tour.client.iter_messages(uuid)))
    tour.screen.result(f"{len(read)} messages, oldest first, each once, provably all of them")
    await tour.call("join_conversation(uuid)", tour.client.join_conversation(uuid))
    try:
        async with anyio.create_task_group() as group:
            group.start_soon(_write, tour.sandbox.customer(uuid))
            await _poll(tour, uuid, read)
    except ExceptionGroup as group:
        raise group.exceptions[0] from group
    await tour.call("mark_read_conversation(uuid)", tour.client.mark_read_conversation(uuid))


async def collect(items: AsyncIterator[T]) -> list[T]:
    """All of them."""
    return [item async for item in items]


async def _write(customer: Customer) -> None:
    for pause, line in _SCRIPT:
        await anyio.sleep(pause)
        customer.write(line)


async def _poll(tour: Tour, uuid: str, read: list[ConversationMessage]) -> None:
    """Ask for what is new until the script is over."""
    before, polls, awaited = tour.client.budget.statistics().used, 0, len(_SCRIPT)
    tour.screen.note(
        f"Now iter_messages(uuid, since=newest) every {_EVERY:g} s; on the right: seen how long after it was written."
    )
    seen = {message.conversation_message_uuid for message in read}
    newest = read[-1].message_epoch or 0 if read else 0
    while awaited and polls < _MOST_POLLS:
        tour.status("waiting for the customer to write")
        await anyio.sleep(_EVERY)
        polls += 1
        async for message in tour.client.iter_messages(uuid, since=newest):
            if message.conversation_message_uuid not in seen:
                seen.add(message.conversation_message_uuid)
                newest = message.message_epoch or newest
                _show(tour, message)
                awaited -= message.author_conversation_participant_name is not None
    requests = tour.client.budget.statistics().used - before
    tour.screen.result(f"{polls} polls cost {requests} requests; a message that came twice was shown once")


def _show(tour: Tour, message: ConversationMessage) -> None:
    epoch = message.message_epoch or 0
    moment = datetime.fromtimestamp(epoch / 1000).astimezone()
    late = max(0.0, time.time() - epoch / 1000)
    author = message.author_conversation_participant_name or "(notice)"
    tour.screen.message(f"{moment:%H:%M:%S}", author, message.body or "", remark=f"{late:.2f} s")
