"""Whatever happens to the websocket: everything arrives, once, and no hole is silent."""

from functools import reduce

import anyio
import pytest

from tests.live.session.conftest import NewSession
from tests.live.session.desk import Reader, chat, eventually, reading, written
from ultracart_conversation import (
    AuthenticationError,
    Checkpoint,
    ConversationClient,
    Gap,
    GapClosed,
    GapUnresolved,
    Heartbeat,
    MessageReceived,
    MessageUpdated,
    PermissionDenied,
    Phase,
    PushMissed,
    Rotation,
    Snapshot,
    StateChanged,
    UnknownEvent,
    apply,
)
from ultracart_conversation.sandbox import PERSONALITIES, Fault, Personality, Sandbox, SocketFault

pytestmark = pytest.mark.anyio
CODES = [1000, 1001, 1008, 1009, 1011, 1012, 4000]


async def test_what_was_written_meanwhile_is_read(
    new_session: NewSession, client: ConversationClient, ultracart_sandbox: Sandbox
) -> None:
    async with reading(new_session()) as reader:
        customer = await chat(client, ultracart_sandbox)
        uuid = customer.conversation_uuid
        customer.write("before")
        await reader.until(lambda: "before" in reader.bodies(uuid))
        ultracart_sandbox.sockets.faults.add(SocketFault(kind="refuse", status=503, times=2))
        ultracart_sandbox.sockets.reset()
        await reader.until(lambda: reader.of(Gap))
        customer.write("meanwhile")
        await reader.until(lambda: reader.of(GapClosed))
        customer.write("after")
        await reader.until(lambda: "after" in reader.bodies(uuid))
        assert reader.bodies(uuid) == written(ultracart_sandbox, uuid)
        meanwhile = next(event for event in reader.of(MessageReceived) if event.message.body == "meanwhile")
        assert meanwhile.replayed
        assert [event.count for event in reader.of(GapClosed)] == [1]
        order = [type(event) for event in reader.events]
        assert order.index(Gap) < reader.events.index(meanwhile) < order.index(GapClosed)
        phases = [event.state.phase for event in reader.of(StateChanged)]
        assert phases[-2:] == [Phase.RECOVERING, Phase.LIVE]


@pytest.mark.parametrize("code", CODES)
async def test_whatever_the_closing_code(
    new_session: NewSession, client: ConversationClient, ultracart_sandbox: Sandbox, code: int
) -> None:
    async with reading(new_session()) as reader:
        customer = await chat(client, ultracart_sandbox)
        uuid = customer.conversation_uuid
        ultracart_sandbox.sockets.close(code)
        customer.write("meanwhile")
        await reader.until(lambda: reader.of(GapClosed))
        assert reader.of(Gap)
        await reader.until(lambda: reader.bodies(uuid) == written(ultracart_sandbox, uuid))


@pytest.mark.parametrize("status", [403, 429, 503])
async def test_a_handshake_that_is_refused_once(
    new_session: NewSession, ultracart_sandbox: Sandbox, status: int
) -> None:
    headers = {"Retry-After": "0"} if status == 429 else {}
    ultracart_sandbox.sockets.faults.add(SocketFault(kind="refuse", status=status, headers=headers))
    async with reading(new_session()):
        assert [each.status for each in ultracart_sandbox.sockets.handshakes] == [status, 101]


@pytest.mark.parametrize(("status", "error"), [(401, AuthenticationError), (403, PermissionDenied)])
async def test_a_handshake_that_is_refused_with_a_fresh_token_ends_it(
    new_session: NewSession, ultracart_sandbox: Sandbox, status: int, error: type[Exception]
) -> None:
    ultracart_sandbox.sockets.faults.add(SocketFault(kind="refuse", status=status, times=None))
    with pytest.raises(error) as caught:
        async with new_session() as session:
            await session.wait_live()
    assert "\n" not in str(caught.value)
    assert len(ultracart_sandbox.sockets.handshakes) == 2


async def test_a_token_that_is_too_old_is_not_used_again(new_session: NewSession, ultracart_sandbox: Sandbox) -> None:
    async with reading(new_session()) as reader:
        ultracart_sandbox.clock.advance(400)
        ultracart_sandbox.sockets.reset()
        await reader.until(lambda: reader.of(GapClosed))
        assert [each.status for each in ultracart_sandbox.sockets.handshakes] == [101, 101]


async def test_a_websocket_that_fell_silent_is_noticed(
    new_session: NewSession, client: ConversationClient, ultracart_sandbox: Sandbox
) -> None:
    async with reading(new_session(heartbeat=Heartbeat(interval=0.2, timeout=0.2))) as reader:
        customer = await chat(client, ultracart_sandbox)
        uuid = customer.conversation_uuid
        await reader.until(lambda: reader.bodies(uuid))
        ultracart_sandbox.sockets.silence()
        customer.write("can you hear me?")
        await reader.until(lambda: reader.of(GapClosed))
        assert reader.bodies(uuid) == written(ultracart_sandbox, uuid)


async def test_a_rotation_makes_before_it_breaks(
    new_session: NewSession, client: ConversationClient, ultracart_sandbox: Sandbox
) -> None:
    async with reading(new_session(rotation=Rotation(earliest=0.3, latest=0.4))) as reader:
        customer = await chat(client, ultracart_sandbox)
        uuid, number = customer.conversation_uuid, 0
        session = reader.session
        while session.statistics().connection.rotations < 3:
            customer.write(str(number := number + 1))
            assert ultracart_sandbox.sockets.count >= 1
            await anyio.sleep(0.01)
        await reader.until(lambda: reader.bodies(uuid)[-1:] == [str(number)])
        assert reader.bodies(uuid) == written(ultracart_sandbox, uuid)
        assert not reader.of(Gap)
        assert session.state.generation >= 4


@pytest.mark.parametrize("kind", ["drop", "duplicate", "reorder", "corrupt"])
@pytest.mark.parametrize("frame", ["message", None])
async def test_frames_that_are_spoiled(
    new_session: NewSession, client: ConversationClient, ultracart_sandbox: Sandbox, kind: str, frame: str | None
) -> None:
    async with reading(new_session()) as reader:
        customer = await chat(client, ultracart_sandbox)
        uuid = customer.conversation_uuid
        ultracart_sandbox.sockets.faults.add(SocketFault(kind=kind, frame=frame, times=20, rate=0.5))  # type: ignore[arg-type]
        for number in range(20):
            customer.write(str(number))
        await reader.until(lambda: sorted(map(str, reader.bodies(uuid))) == sorted(written(ultracart_sandbox, uuid)))


async def test_a_push_that_was_missed_is_said(
    new_session: NewSession, client: ConversationClient, ultracart_sandbox: Sandbox
) -> None:
    async with reading(new_session()) as reader:
        customer = await chat(client, ultracart_sandbox)
        uuid = customer.conversation_uuid
        await anyio.sleep(0.6)
        ultracart_sandbox.sockets.faults.add(SocketFault(kind="drop", times=None))
        customer.write("unheard")
        await reader.until(lambda: reader.of(PushMissed))
        missed = reader.of(PushMissed)[0]
        found = [event for event in reader.of(MessageReceived) if event.message.body == "unheard"]
        assert len(found) == 1
        assert found[0].replayed
        assert missed.conversation_uuid == uuid
        assert missed.conversation_message_uuid == found[0].message.conversation_message_uuid
        assert reader.session.statistics().missed == 1


async def test_a_deaf_websocket_is_replaced(
    new_session: NewSession, client: ConversationClient, ultracart_sandbox: Sandbox
) -> None:
    async with reading(new_session()) as reader:
        customer = await chat(client, ultracart_sandbox)
        await anyio.sleep(2.5)
        ultracart_sandbox.sockets.faults.add(SocketFault(kind="drop", times=3))
        customer.write("unheard")
        await eventually(lambda: reader.session.statistics().connection.rotations == 1)
        assert not reader.of(Gap)


async def test_a_checkpoint_goes_on_where_the_last_session_ended(
    new_session: NewSession, client: ConversationClient, ultracart_sandbox: Sandbox
) -> None:
    async with reading(new_session()) as reader:
        customer = await chat(client, ultracart_sandbox)
        uuid = customer.conversation_uuid
        await reader.until(lambda: reader.bodies(uuid))
        kept = reader.session.checkpoint().to_dict()
    customer.write("while nobody was there")
    other = ultracart_sandbox.text("somebody else's")
    async with reading(new_session(checkpoint=Checkpoint.from_dict(kept))) as reader:
        await reader.until(lambda: reader.of(GapClosed))
        customer.write("now")
        await reader.until(lambda: "now" in reader.bodies(uuid))
        assert [body for body in reader.bodies(uuid) if body != "Is anybody there?"][-2:] == [
            "while nobody was there",
            "now",
        ]
        assert not reader.bodies(other.conversation_uuid)
        assert len(reader.bodies(uuid)) <= 3


async def test_what_nobody_dealt_with_comes_again(
    new_session: NewSession, client: ConversationClient, ultracart_sandbox: Sandbox
) -> None:
    async with new_session() as session:
        await session.wait_live()
        customer = await chat(client, ultracart_sandbox)
        customer.write("one")
        customer.write("two")
        while (await session.next(MessageReceived, timeout=5)).message.body != "one":
            pass
        kept = session.checkpoint()
    async with reading(new_session(checkpoint=kept)) as reader:
        await reader.until(lambda: reader.bodies(customer.conversation_uuid)[-2:] == ["one", "two"])


async def test_following_everybody(
    new_session: NewSession, client: ConversationClient, ultracart_sandbox: Sandbox
) -> None:
    async with reading(new_session(follow="all")) as reader:
        customer = ultracart_sandbox.text("a text of somebody whom nobody serves")
        await reader.until(lambda: reader.bodies(customer.conversation_uuid))
        ultracart_sandbox.sockets.reset()
        customer.write("another")
        await reader.until(
            lambda: reader.bodies(customer.conversation_uuid) == written(ultracart_sandbox, customer.conversation_uuid)
        )


async def test_an_edit_is_handed_over(
    new_session: NewSession, client: ConversationClient, ultracart_sandbox: Sandbox
) -> None:
    async with reading(new_session()) as reader:
        customer = await chat(client, ultracart_sandbox)
        first = customer.write("teh kettle")
        second = customer.write("si chipped")
        await reader.until(lambda: len(reader.bodies(customer.conversation_uuid)) == 3)
        customer.edit(first, "the kettle")
        await reader.until(lambda: len(reader.of(MessageUpdated)) == 1)
        ultracart_sandbox.sockets.reset()
        customer.edit(second, "is chipped")
        await reader.until(lambda: len(reader.of(MessageUpdated)) == 2)
        assert [event.message.body for event in reader.of(MessageUpdated)] == ["the kettle", "is chipped"]
        assert [event.replayed for event in reader.of(MessageUpdated)] == [False, True]


async def test_a_conversation_that_cannot_be_read_does_not_stop_the_others(
    new_session: NewSession, client: ConversationClient, ultracart_sandbox: Sandbox
) -> None:
    async with reading(new_session()) as reader:
        good, bad = await chat(client, ultracart_sandbox), await chat(client, ultracart_sandbox, name="Poison")
        await reader.until(lambda: reader.bodies(good.conversation_uuid) and reader.bodies(bad.conversation_uuid))
        broken = Fault(kind="status", status=500, operation="get_conversation_messages", times=None)
        ultracart_sandbox.faults.add(broken)
        ultracart_sandbox.sockets.reset()
        bad.write("unreadable")
        await reader.until(lambda: reader.of(GapUnresolved))
        assert reader.session.state.phase is Phase.LIVE or await _live(reader)
        ultracart_sandbox.faults.clear()
        good.write("readable")
        await reader.until(lambda: "readable" in reader.bodies(good.conversation_uuid))
        await reader.until(lambda: "unreadable" in reader.bodies(bad.conversation_uuid))


async def _live(reader: Reader) -> bool:
    await reader.session.wait_live()
    return True


async def test_a_snapshot_is_right_again_after_a_gap(
    new_session: NewSession, client: ConversationClient, ultracart_sandbox: Sandbox
) -> None:
    async with reading(new_session()) as reader:
        customers = [await chat(client, ultracart_sandbox, name=name) for name in ("Ann Lee", "Bo Ek")]
        ultracart_sandbox.sockets.faults.add(SocketFault(kind="refuse", status=503, times=2))
        ultracart_sandbox.sockets.reset()
        await reader.until(lambda: reader.of(Gap))
        customers[0].leave()
        customers[1].write("still here")
        await reader.until(lambda: reader.of(GapClosed))
        shown = reduce(apply, reader.events, Snapshot())
        for customer in customers:
            uuid = customer.conversation_uuid
            conversation = (await client.get_conversation(uuid)).conversation
            assert conversation is not None
            fresh = Snapshot.of(conversations=[conversation])
            assert shown.conversations[uuid] == fresh.conversations[uuid]
            assert shown.messages[uuid] == fresh.messages[uuid]
        queues = await client.get_conversation_webchat_queue_statuses()
        assert shown.queues == Snapshot.of(queues=queues.queue_statuses).queues


async def test_gateway_errors_and_strangers_are_kept(new_session: NewSession, ultracart_sandbox: Sandbox) -> None:
    async with reading(new_session()) as reader:
        ultracart_sandbox.sockets.send({"message": "Forbidden", "connectionId": "x", "requestId": "y"})
        ultracart_sandbox.sockets.send(
            {"type": "event", "event_type": "moon phase", "event_moon_phase": {"full": True}}
        )
        ultracart_sandbox.sockets.send({"type": "ping"})
        await reader.until(lambda: len(reader.of(UnknownEvent)) == 2)
        assert reader.session.statistics().unknown == 2
        assert reader.session.state.phase is Phase.LIVE


@pytest.mark.parametrize("personality", PERSONALITIES, ids=str)
async def test_on_every_kind_of_server(
    new_session: NewSession, client: ConversationClient, ultracart_sandbox: Sandbox, personality: Personality
) -> None:
    ultracart_sandbox.personality = personality
    async with reading(new_session()) as reader:
        customer = await chat(client, ultracart_sandbox)
        uuid = customer.conversation_uuid
        for turn in range(3):
            for number in range(4):
                customer.write(f"{turn}.{number}")
            ultracart_sandbox.sockets.reset()
            for number in range(4, 8):
                customer.write(f"{turn}.{number}")
        await reader.until(lambda: len(reader.bodies(uuid)) >= len(written(ultracart_sandbox, uuid)))
        assert sorted(map(str, reader.bodies(uuid))) == sorted(written(ultracart_sandbox, uuid))
