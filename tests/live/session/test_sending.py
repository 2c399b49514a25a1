"""What an agent does: messages are sent once or their fate is unknown, and everything else reaches the service."""

import anyio
import anyio.lowlevel
import pytest

from tests.live.session.conftest import NewSession
from tests.live.session.desk import chat, eventually, reading, written
from ultracart_conversation import (
    AgentStatus,
    ConfigurationError,
    ConversationClient,
    Gap,
    MessageReceived,
    NotConnected,
    QueueMemberJoined,
    Sending,
    SendQueueFull,
    Sent,
    SessionClosed,
    Sweeping,
    Unknown,
    WebchatContextChanged,
)
from ultracart_conversation.sandbox import Fault, Sandbox, SocketFault

pytestmark = pytest.mark.anyio
SENDING = Sending(echo=0.2, unknown=3.0, typing=0.2)


def statuses(sandbox: Sandbox) -> dict[str, str]:
    """The agent's status in every queue, as the service has it."""
    return {
        queue["queue_name"]: agent["agent_status"]
        for queue in sandbox.state()["queue_statuses"]
        for agent in queue["agents"]
        if agent["conversation_participant_arn"] == sandbox.agent.arn
    }


async def test_a_message_is_sent_and_echoed(
    new_session: NewSession, client: ConversationClient, ultracart_sandbox: Sandbox
) -> None:
    async with reading(new_session()) as reader:
        customer = await chat(client, ultracart_sandbox)
        key = await client.uploads.put(b"\x89PNG", extension="png")
        sent = await reader.session.send_message(
            customer.conversation_uuid, "Look:", upload_keys=[key], language_iso_code="en", client_message_id="mine-1"
        )
        assert isinstance(sent, Sent)
        assert sent.client_message_id == sent.message.client_message_id == "mine-1"
        assert sent.found_by == "echo"
        assert sent.message.upload_keys == (key,)
        assert sent.message.media_urls
        await reader.until(lambda: "Look:" in reader.bodies(customer.conversation_uuid))
        assert reader.bodies(customer.conversation_uuid).count("Look:") == 1
        assert written(ultracart_sandbox, customer.conversation_uuid).count("Look:") == 1


async def test_without_an_echo_it_is_found_by_rest(
    new_session: NewSession, client: ConversationClient, ultracart_sandbox: Sandbox
) -> None:
    ultracart_sandbox.sockets.echo = False
    async with reading(new_session(sending=SENDING)) as reader:
        customer = await chat(client, ultracart_sandbox)
        sent = await reader.session.send_message(customer.conversation_uuid, "Hello")
        assert isinstance(sent, Sent)
        assert sent.found_by == "rest"
        await reader.until(lambda: "Hello" in reader.bodies(customer.conversation_uuid))
        assert not [event for event in reader.events if type(event).__name__ == "PushMissed"]


async def test_where_nothing_is_pushed_it_is_looked_for(
    new_session: NewSession, client: ConversationClient, ultracart_sandbox: Sandbox
) -> None:
    async with reading(new_session(sending=SENDING, sweeping=Sweeping(interval=300, settle=60))) as reader:
        customer = await chat(client, ultracart_sandbox)
        await reader.until(lambda: reader.bodies(customer.conversation_uuid))
        ultracart_sandbox.sockets.faults.add(SocketFault(kind="drop", times=None))
        sent = await reader.session.send_message(customer.conversation_uuid, "Hello")
        assert isinstance(sent, Sent)
        assert sent.found_by == "rest"


async def test_what_got_lost_on_its_way_is_unknown_and_not_sent_again(
    new_session: NewSession, client: ConversationClient, ultracart_sandbox: Sandbox
) -> None:
    async with reading(new_session(sending=SENDING)) as reader:
        customer = await chat(client, ultracart_sandbox)
        ultracart_sandbox.sockets.faults.add(SocketFault(kind="ignore", frame="message"))
        outcome = await reader.session.send_message(customer.conversation_uuid, "Hello")
        assert isinstance(outcome, Unknown)
        assert outcome.conversation_uuid == customer.conversation_uuid
        assert "Hello" not in written(ultracart_sandbox, customer.conversation_uuid)
        assert ultracart_sandbox.effects["message"] == 0


async def test_a_cut_right_after_sending_is_no_reason_to_send_again(
    new_session: NewSession, client: ConversationClient, ultracart_sandbox: Sandbox
) -> None:
    async with reading(new_session(sending=SENDING)) as reader:
        customer = await chat(client, ultracart_sandbox)
        uuid = customer.conversation_uuid
        await reader.until(lambda: reader.bodies(uuid))
        ultracart_sandbox.sockets.faults.add(SocketFault(kind="cut", frame="message", size=3))
        sent = await reader.session.send_message(uuid, "Hello")
        assert isinstance(sent, Sent)
        assert written(ultracart_sandbox, uuid).count("Hello") == 1
        await reader.until(lambda: reader.bodies(uuid).count("Hello") == 1)


async def test_messages_wait_for_a_connection_and_keep_their_order(
    new_session: NewSession, client: ConversationClient, ultracart_sandbox: Sandbox
) -> None:
    async with reading(new_session()) as reader:
        customer = await chat(client, ultracart_sandbox)
        uuid = customer.conversation_uuid
        ultracart_sandbox.sockets.faults.add(SocketFault(kind="refuse", times=3))
        ultracart_sandbox.sockets.reset()
        await reader.until(lambda: reader.of(Gap))
        async with anyio.create_task_group() as group:
            for number in range(5):
                group.start_soon(reader.session.send_message, uuid, str(number))
                await anyio.lowlevel.checkpoint()
        assert written(ultracart_sandbox, uuid)[-5:] == ["0", "1", "2", "3", "4"]


async def test_too_much_is_refused(new_session: NewSession, ultracart_sandbox: Sandbox) -> None:
    ultracart_sandbox.sockets.faults.add(SocketFault(kind="stall", times=None))
    async with new_session(sending=Sending(messages=2), close_timeout=0.1) as session:
        uuid = ultracart_sandbox.conversation_uuids[0]
        async with anyio.create_task_group() as group:
            group.start_soon(session.send_message, uuid, "1")
            group.start_soon(session.send_message, uuid, "2")
            await eventually(lambda: session.statistics().sending.waiting == 2)
            with pytest.raises(SendQueueFull):
                await session.send_message(uuid, "3")
            group.cancel_scope.cancel()
        assert session.statistics().sending.waiting == 0
        with pytest.raises(ConfigurationError, match="131,072"):
            await session.send_message(uuid, "x" * 200_000)


async def test_leaving_sends_what_waits_for_as_long_as_it_may(
    new_session: NewSession, client: ConversationClient, ultracart_sandbox: Sandbox
) -> None:
    outcomes: list[object] = []
    async with anyio.create_task_group() as group:
        async with new_session(close_timeout=0.3) as session:
            await session.wait_live()
            customer = await chat(client, ultracart_sandbox)
            ultracart_sandbox.sockets.faults.add(SocketFault(kind="ignore", times=None, frame="message"))

            async def send(body: str) -> None:
                try:
                    outcomes.append(await session.send_message(customer.conversation_uuid, body))
                except SessionClosed as error:
                    outcomes.append(error)

            group.start_soon(send, "never confirmed")
            await eventually(lambda: session.statistics().sending.in_flight == 1)
        await eventually(lambda: outcomes)
    assert isinstance(outcomes[0], Unknown)


async def test_statuses_that_were_set_are_taken_back(new_session: NewSession, ultracart_sandbox: Sandbox) -> None:
    async with reading(new_session()) as reader:
        await reader.session.set_status("Support", AgentStatus.AVAILABLE)
        assert statuses(ultracart_sandbox)["Support"] == "available"
    assert statuses(ultracart_sandbox)["Support"] == "unavailable"


async def test_or_kept_on_demand(new_session: NewSession, ultracart_sandbox: Sandbox) -> None:
    async with reading(new_session(stay_available=True)) as reader:
        await reader.session.set_status("Support", AgentStatus.BUSY)
    assert statuses(ultracart_sandbox)["Support"] == "busy"


async def test_an_agents_other_deeds(
    new_session: NewSession, client: ConversationClient, ultracart_sandbox: Sandbox
) -> None:
    async with reading(new_session(sending=SENDING)) as reader:
        session = reader.session
        ultracart_sandbox.arrive(name="Emil Ray", question="Do you ship to Norway?")
        await reader.until(lambda: reader.of(QueueMemberJoined))
        conversation = await session.pick_up(reader.of(QueueMemberJoined)[-1].entry)
        uuid = str(conversation.conversation_uuid)
        await reader.until(lambda: reader.bodies(uuid) == ["Do you ship to Norway?"])
        question = next(event.message for event in reader.of(MessageReceived) if event.conversation_uuid == uuid)
        await session.mark_read(uuid, question)
        await session.mark_read(uuid, question)
        await session.mark_read(uuid)
        for value in ("a", "ab", "abc", "abcd", ""):
            await session.send_typing(uuid, value)
        await session.add_coupon(uuid, "TEA5")
        await session.add_item(uuid, {"item_id": "TEAPOT", "quantity": 2})
        await reader.until(lambda: len(reader.of(WebchatContextChanged)) == 2)
        context = await session.context(uuid)
        assert context.cart is not None
        await eventually(lambda: ultracart_sandbox.effects["read message"] == 1)
        assert ultracart_sandbox.effects["typing"] <= 3
        other = ultracart_sandbox.conversation_uuids[-1]
        await session.join(other)
        ultracart_sandbox.customer(other).write("now you hear me")
        await reader.until(lambda: "now you hear me" in reader.bodies(other))
        await session.leave(other)


async def test_deeds_that_need_a_connection(new_session: NewSession, ultracart_sandbox: Sandbox) -> None:
    ultracart_sandbox.sockets.faults.add(SocketFault(kind="stall", times=None))
    async with new_session() as session:
        uuid = ultracart_sandbox.conversation_uuids[0]
        with pytest.raises(NotConnected):
            await session.add_coupon(uuid, "TEA5")
        await session.send_typing(uuid)


async def test_the_keepalive(new_session: NewSession, ultracart_sandbox: Sandbox) -> None:
    ultracart_sandbox.faults.add(Fault(kind="status", status=500, operation="get_agent_keep_alive", times=8))
    async with reading(new_session(keepalive=0.05)) as reader:
        await eventually(lambda: reader.session.statistics().keepalive.failed)
        await eventually(lambda: reader.session.statistics().keepalive.sent >= 3)
        assert reader.session.statistics().connection.connections == 1
        assert reader.session.statistics().keepalive.last_error == ""
