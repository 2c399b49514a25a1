"""The demo: an agent's day in ten seconds, against a local UltraCart (extra: `sandbox`)."""

import sys
import time
from contextlib import AsyncExitStack
from importlib.metadata import version

from ultracart_conversation._cli.archive_tour import keep_everything
from ultracart_conversation._cli.event_words import words_of
from ultracart_conversation._cli.failures import meet_failures
from ultracart_conversation._cli.live_chat import LiveChat, until_live
from ultracart_conversation._cli.picture import png, teapot
from ultracart_conversation._cli.screen import screen_for
from ultracart_conversation._cli.text import local, one_line
from ultracart_conversation._cli.tour import Tour, collect, given
from ultracart_conversation.client import ConversationClient
from ultracart_conversation.events import QueueMemberJoined
from ultracart_conversation.models import AgentStatus, ConversationSummary
from ultracart_conversation.sandbox import RateLimits, Sandbox
from ultracart_conversation.session import AgentSession

_NAME = "ultracart-conversation"
_QUEUE = "Support"
_CUSTOMERS, _CONVERSATIONS = 20, 500
_PATIENCE = 20.0


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
    async with AsyncExitStack() as stack:
        session = await _come_online(tour, stack)
        uuid = await _choose_conversation(tour, session)
        await _chat(tour, session, uuid)
        await _pick_up(tour, session)
        await meet_failures(tour, uuid, queue=_QUEUE)
        await _go_home(tour, session, stack, uuid)
    await keep_everything(tour)


async def _come_online(tour: Tour, stack: AsyncExitStack) -> AgentSession:
    tour.screen.heading("Come online")
    session = AgentSession(tour.client)

    async def enter() -> None:
        await stack.enter_async_context(session)
        await until_live(session)

    await tour.call("AgentSession(client)", enter())
    agent = given(session.agent, "agent")
    sockets = len(tour.sandbox.sockets.handshakes)
    tour.screen.result(
        f"{one_line(agent.conversation_participant_name)}, on {sockets} websocket; the repr of its token is '***'"
    )
    await tour.call("get_agent_keep_alive()", tour.client.get_agent_keep_alive())
    tour.screen.result("the session does that by itself every two minutes")
    await tour.call("session.set_status(...)", session.set_status(_QUEUE, AgentStatus.AVAILABLE))
    _show_queue(tour)
    return session


def _show_queue(tour: Tour) -> None:
    queue = next(each for each in tour.sandbox.state()["queue_statuses"] if each["queue_name"] == _QUEUE)
    tour.screen.result(
        f"{_QUEUE}: {queue['customer_waiting_count']} customers wait, "
        f"{queue['agent_available_count']} of {queue['agent_count']} agents available"
    )


async def _choose_conversation(tour: Tour, session: AgentSession) -> str:
    """The newest webchat that goes on without this agent."""
    tour.screen.heading("What was said?")
    listed = await tour.call("iter_conversations()", collect(tour.client.iter_conversations()))
    tour.screen.result(f"{len(listed)} conversations, newest first, paged by itself; the newest three:")
    for conversation in listed[:3]:
        author = one_line(conversation.last_conversation_participant_name) or "(notice)"
        said = one_line(conversation.last_conversation_message_body)
        tour.screen.result(f"  {local(conversation.last_message_dts)}  {author}: {said}")
    arn = given(session.agent, "agent").conversation_participant_arn
    chosen = next(each for each in listed if _is_open_without(each, arn))
    uuid = given(chosen.conversation_uuid, "conversation_uuid")
    await tour.call("get_conversation(uuid, limit=10)", tour.client.get_conversation(uuid, limit=10))
    read = await tour.call("iter_messages(uuid)", collect(tour.client.iter_messages(uuid)))
    tour.screen.result(f"{len(read)} messages, oldest first, each once, provably all of them")
    return uuid


def _is_open_without(conversation: ConversationSummary, arn: str | None) -> bool:
    present = {each.conversation_participant_arn for each in conversation.participants}
    return conversation.medium == "websocket" and not conversation.closed and arn not in present


async def _chat(tour: Tour, session: AgentSession, uuid: str) -> None:
    tour.screen.heading("Chat with a customer, and lose the connection")
    chat = LiveChat(tour, session, uuid)
    await tour.call("session.join(uuid)", session.join(uuid))
    chat.listen()
    await chat.hear("Hello, my teapot arrived, but the lid is chipped.")
    await chat.answer("I am sorry! Which order is it?")
    await chat.hear("Order 20251006-118, packed by hand, it said.")
    await chat.lose_connection("Could you send me a picture of a whole one?")
    key = await _upload(tour)
    await chat.answer("Here it is. A new one is on its way.", upload_keys=(key,))
    chat.count()
    await tour.call("session.mark_read(uuid)", session.mark_read(uuid))


async def _upload(tour: Tour) -> str:
    tour.screen.picture(teapot())
    picture = png(teapot())
    key = await tour.call('uploads.put(png, extension="png")', tour.client.uploads.put(picture, extension="png"))
    stored = next(each for each in reversed(tour.sandbox.requests) if each.operation == "put_upload")
    leaked = "x-ultracart-simple-key" in stored.headers
    tour.screen.result(
        f"{len(stored.body)} bytes went to a presigned URL, {'with' if leaked else 'without'} our API key"
    )
    return key


async def _pick_up(tour: Tour, session: AgentSession) -> None:
    tour.screen.heading("Pick up a customer")
    tour.sandbox.arrive(name="Grace Holm", question="Is the cast iron teapot back in stock?", queue=_QUEUE)
    event = await session.next(QueueMemberJoined, timeout=_PATIENCE)
    tour.screen.event(given(words_of(event), "words"))
    started = await tour.call("session.pick_up(event.entry)", session.pick_up(event.entry))
    for message in started.messages:
        tour.screen.message("", message.author_conversation_participant_name or "(notice)", message.body or "")


async def _go_home(tour: Tour, session: AgentSession, stack: AsyncExitStack, uuid: str) -> None:
    tour.screen.heading("Go home")
    await tour.call("session.leave(uuid)", session.leave(uuid))
    await tour.call("the end of `async with AgentSession`", stack.aclose())
    tour.screen.result("which takes the status back that it set, and closes the websocket:")
    _show_queue(tour)


def _sum_up(tour: Tour, seconds: float) -> None:
    budget, requests = tour.client.budget.statistics(), tour.sandbox.requests
    operations = {each.operation for each in requests} - {"put_upload"}
    refused = sum(each.status == 429 for each in requests)
    tour.screen.heading("What it took")
    tour.screen.note(
        f"{budget.used} requests and {len(tour.sandbox.sockets.handshakes)} websockets in {seconds:.1f} s, "
        f"{len(operations)} of UltraCart's 13 conversation operations, {refused or 'no'} 429s, "
        f"{'some' if tour.client.drift else 'no'} drift from the contract."
    )
    tour.screen.note("The rate budget, at the limits that UltraCart publishes:")
    for name, window in (("hour", budget.hour), ("day", budget.day)):
        if window is not None:
            tour.screen.window(name, window)
    tour.screen.heading("Now you")
    tour.screen.note("ULTRACART_API_KEY=... ultracart-conversation list: your own conversations")
    tour.screen.note("ULTRACART_API_KEY=... ultracart-conversation tail: and what happens, live")
    tour.screen.note("ULTRACART_API_KEY=... ultracart-conversation sync --archive conversations.db: keep everything")
    tour.screen.note("ultracart-conversation sandbox --port 8080: a local UltraCart for your own code")
