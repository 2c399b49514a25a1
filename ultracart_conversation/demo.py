"""The demo: an agent's day in ten seconds, against a local UltraCart (extra: `sandbox`)."""

import sys
import time
from importlib.metadata import version

from ultracart_conversation._cli.failures import meet_failures, pick_up
from ultracart_conversation._cli.following import collect, follow
from ultracart_conversation._cli.picture import png, teapot
from ultracart_conversation._cli.screen import screen_for
from ultracart_conversation._cli.text import local, one_line
from ultracart_conversation._cli.tour import Tour, given
from ultracart_conversation.client import ConversationClient
from ultracart_conversation.models import (
    AgentStatus,
    ConversationAgentAuth,
    ConversationSummary,
    ConversationWebchatQueueStatusUpdateRequest,
)
from ultracart_conversation.sandbox import RateLimits, Sandbox

_NAME = "ultracart-conversation"
_QUEUE = "Support"
_CUSTOMERS, _CONVERSATIONS = 20, 500


async def run(*, seed: int) -> None:
    """Start a sandbox, work in it as an agent for some seconds, and say what it took."""
    started = time.perf_counter()
    with screen_for(sys.stdout) as screen:
        screen.title(f"{_NAME} {version(_NAME)}: no account needed, nothing leaves this machine")
        async with Sandbox(
            seed=seed, customers=_CUSTOMERS, conversations=_CONVERSATIONS, limits=RateLimits()
        ) as sandbox:
            screen.note(
                f"A local UltraCart is up at {sandbox.base_url} and enforces the published rate limits. Each call "
                "below goes to it over a real socket; on the right: what was sent and answered, and how long it took."
            )
            async with ConversationClient(sandbox.api_key, base_url=sandbox.base_url) as client:
                tour = Tour(client, sandbox, screen)
                await _work(tour)
                _sum_up(tour, time.perf_counter() - started)


async def _work(tour: Tour) -> None:
    agent = await _come_online(tour)
    await _see_who_waits(tour)
    uuid = await _choose_conversation(tour, agent)
    await follow(tour, uuid)
    await _upload(tour)
    await _pick_up(tour)
    await meet_failures(tour, uuid, queue=_QUEUE)
    await _go_home(tour, agent, uuid)


async def _come_online(tour: Tour) -> ConversationAgentAuth:
    tour.screen.heading("Come online")
    reply = await tour.call("get_agent_websocket_authorization()", tour.client.get_agent_websocket_authorization())
    agent = given(reply.agent_auth, "agent_auth")
    tour.screen.result(
        f"{one_line(agent.conversation_participant_name)}, with a token for one websocket; its repr is '***'"
    )
    await tour.call("get_agent_keep_alive()", tour.client.get_agent_keep_alive())
    await _set_status(tour, agent, AgentStatus.AVAILABLE)
    return agent


async def _set_status(tour: Tour, agent: ConversationAgentAuth, status: AgentStatus) -> None:
    request = ConversationWebchatQueueStatusUpdateRequest(agent_status=status)
    operation = tour.client.update_conversation_webchat_queue_status(_QUEUE, request)
    await tour.call("update_conversation_webchat_queue_status(...)", operation)
    tour.screen.result(f"{one_line(agent.conversation_participant_name)} is {status} in the queue {_QUEUE}")


async def _see_who_waits(tour: Tour) -> None:
    tour.screen.heading("Who waits?")
    operation = tour.client.get_conversation_webchat_queue_statuses()
    reply = await tour.call("get_conversation_webchat_queue_statuses()", operation)
    for queue in reply.queue_statuses:
        tour.screen.result(
            f"{one_line(queue.queue_name):<8}  {queue.customer_waiting_count} customers wait, "
            f"{queue.agent_available_count} of {queue.agent_count} agents available"
        )


async def _choose_conversation(tour: Tour, agent: ConversationAgentAuth) -> str:
    """The newest webchat that goes on without this agent."""
    tour.screen.heading("What was said?")
    listed = await tour.call("iter_conversations()", collect(tour.client.iter_conversations()))
    tour.screen.result(f"{len(listed)} conversations, newest first, paged by itself; the newest three:")
    for conversation in listed[:3]:
        author = one_line(conversation.last_conversation_participant_name) or "(notice)"
        said = one_line(conversation.last_conversation_message_body)
        tour.screen.result(f"  {local(conversation.last_message_dts)}  {author}: {said}")
    chosen = next(each for each in listed if _is_open_without(each, agent.conversation_participant_arn))
    uuid = given(chosen.conversation_uuid, "conversation_uuid")
    context = await tour.call("get_conversation_context(uuid)", tour.client.get_conversation_context(uuid))
    tour.screen.result("the newest webchat that is still open; its customer looks at")
    tour.screen.result(f"  {one_line(context.current_url)}")
    return uuid


def _is_open_without(conversation: ConversationSummary, arn: str | None) -> bool:
    present = {each.conversation_participant_arn for each in conversation.participants}
    return conversation.medium == "websocket" and not conversation.closed and arn not in present


async def _upload(tour: Tour) -> None:
    tour.screen.heading("Send a picture")
    tour.screen.picture(teapot())
    picture = png(teapot())
    key = await tour.call('uploads.put(png, extension="png")', tour.client.uploads.put(picture, extension="png"))
    stored = next(each for each in reversed(tour.sandbox.requests) if each.operation == "put_upload")
    leaked = "x-ultracart-simple-key" in stored.headers
    tour.screen.result(
        f"{len(stored.body)} bytes went to a presigned URL, {'with' if leaked else 'without'} our API key"
    )
    tour.screen.result(f'a message takes it along by upload_keys=("{key}",)')


async def _pick_up(tour: Tour) -> None:
    tour.screen.heading("Pick up a customer")
    customer = tour.sandbox.arrive(name="Grace Holm", question="Is the cast iron teapot back in stock?", queue=_QUEUE)
    tour.screen.note(f"{customer.name} arrives in the queue {_QUEUE}.")
    reply = await tour.call("start_conversation(queue entry)", tour.client.start_conversation(pick_up(customer)))
    started = given(reply.conversation, "conversation")
    for message in started.messages:
        tour.screen.message("", message.author_conversation_participant_name or "(notice)", message.body or "")


async def _go_home(tour: Tour, agent: ConversationAgentAuth, uuid: str) -> None:
    tour.screen.heading("Go home")
    await tour.call("leave_conversation(uuid)", tour.client.leave_conversation(uuid))
    await _set_status(tour, agent, AgentStatus.UNAVAILABLE)


def _sum_up(tour: Tour, seconds: float) -> None:
    budget, requests = tour.client.budget.statistics(), tour.sandbox.requests
    operations = {each.operation for each in requests} - {"put_upload"}
    refused = sum(each.status == 429 for each in requests)
    tour.screen.heading("What it took")
    tour.screen.note(
        f"{budget.used} requests in {seconds:.1f} s, {len(operations)} of UltraCart's 13 conversation operations, "
        f"{refused or 'no'} 429s, {'some' if tour.client.drift else 'no'} drift from the contract."
    )
    tour.screen.note("The rate budget, at the limits that UltraCart publishes:")
    for name, window in (("hour", budget.hour), ("day", budget.day)):
        if window is not None:
            tour.screen.window(name, window)
    tour.screen.heading("Now you")
    tour.screen.note("ULTRACART_API_KEY=... ultracart-conversation list: your own conversations")
    tour.screen.note("ultracart-conversation sandbox --port 8080: a local UltraCart for your own code")
