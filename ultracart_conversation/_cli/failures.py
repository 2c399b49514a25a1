"""The demo's hard part: what happens when a reply is bad, and when it is lost."""

from ultracart_conversation._cli.text import one_line
from ultracart_conversation._cli.tour import Tour
from ultracart_conversation.models import ConversationStartRequest, ConversationSummary
from ultracart_conversation.sandbox import Customer, Fault


async def meet_failures(tour: Tour, uuid: str, *, queue: str) -> None:
    """Let the sandbox fail a read and lose the reply to a write."""
    tour.screen.heading("When the network fails")
    tour.screen.note("The sandbox answers the next read with 503. To read twice does no harm, so it is retried:")
    tour.sandbox.faults.add(Fault(kind="status", status=503, operation="get_conversation_context"))
    context = await tour.call("get_conversation_context(uuid)", tour.client.get_conversation_context(uuid))
    tour.screen.result(f"the customer looks at {one_line(context.current_url)}")
    customer = tour.sandbox.arrive(name="Emil Ray", question="Do you ship to Norway?", queue=queue)
    tour.screen.note(f"{customer.name} arrives. The sandbox carries out the pick-up, then cuts the line:")
    await _lose_a_reply(tour, customer)


async def _lose_a_reply(tour: Tour, customer: Customer) -> None:
    before = tour.sandbox.effects["start_conversation"]
    tour.sandbox.faults.add(Fault(kind="drop after", operation="start_conversation"))
    operation = tour.client.start_conversation(pick_up(customer))
    error = await tour.failure("start_conversation(queue entry)", operation)
    tour.screen.note(f"{type(error).__name__}: {error}")
    reply = await tour.call("get_conversations(limit=1)", tour.client.get_conversations(limit=1))
    times = tour.sandbox.effects["start_conversation"] - before
    often = "once" if times == 1 else f"{times} times"
    tour.screen.result(f"so it was: {_people(reply.conversations[0])}; the sandbox counts that it was done {often}")


def pick_up(customer: Customer) -> ConversationStartRequest:
    """The request that takes a customer out of the queue."""
    return ConversationStartRequest(conversation_webchat_queue_uuid=customer.queue_entry_uuid)


def _people(conversation: ConversationSummary) -> str:
    return " and ".join(one_line(each.conversation_participant_name) for each in conversation.participants)
