"""`queues`: who waits, and who serves."""

from argparse import Namespace
from datetime import UTC, datetime

from ultracart_conversation._cli.output import Output
from ultracart_conversation._cli.text import duration, one_line
from ultracart_conversation.client import ConversationClient
from ultracart_conversation.models import ConversationWebchatQueueStatus, ConversationWebchatQueueStatusQueueEntry

_QUEUE = (22, 7, 7, 6, 9, 4, 11)
_ENTRY = (36, 7, 16, 0)


async def list_queues(client: ConversationClient, output: Output, arguments: Namespace) -> None:
    """List the webchat queues, then the customers who wait in them."""
    queues = (await client.get_conversation_webchat_queue_statuses()).queue_statuses
    if arguments.json:
        for queue in queues:
            output.json(queue.to_dict())
        return
    if not queues:
        output.line("no queues")
        return
    output.row(("QUEUE", "WAITING", "LONGEST", "ACTIVE", "AVAILABLE", "BUSY", "UNAVAILABLE"), _QUEUE)
    for queue in queues:
        output.row(_summary(queue), _QUEUE)
    _write_entries(output, [entry for queue in queues for entry in queue.queue_entries])


def waiting_since(moment: datetime | None) -> str:
    """How long ago a customer came; empty when unknown."""
    return duration((datetime.now(UTC) - moment).total_seconds()) if moment else ""


def _summary(queue: ConversationWebchatQueueStatus) -> tuple[str, ...]:
    return (
        one_line(queue.queue_name),
        _count(queue.customer_waiting_count, 7),
        waiting_since(queue.customer_waiting_join_dts).rjust(7),
        _count(queue.customer_active_count, 6),
        _count(queue.agent_available_count, 9),
        _count(queue.agent_busy_count, 4),
        _count(queue.agent_unavailable_count, 11),
    )


def _count(number: int | None, width: int) -> str:
    return ("" if number is None else str(number)).rjust(width)


def _write_entries(output: Output, entries: list[ConversationWebchatQueueStatusQueueEntry]) -> None:
    if not entries:
        return
    output.line()
    output.row(("QUEUE ENTRY", "WAITING", "CUSTOMER", "QUESTION"), _ENTRY)
    for entry in entries:
        values = (
            one_line(entry.conversation_webchat_queue_uuid),
            waiting_since(entry.join_dts).rjust(7),
            one_line(entry.conversation_participant_name),
            one_line(entry.question),
        )
        output.row(values, _ENTRY)
