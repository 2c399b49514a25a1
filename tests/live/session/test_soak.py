"""A minute of a bad network: what was sent is what was received, each once, on every kind of server."""

import random
import time
from collections import Counter

import anyio
import pytest

from tests.live.session.conftest import NewSession
from tests.live.session.desk import chat, reading
from ultracart_conversation import ConversationClient, MessageReceived, Sending, Sent
from ultracart_conversation.sandbox import PERSONALITIES, Customer, Fault, Personality, Sandbox, SocketFault

pytestmark = pytest.mark.anyio
SECONDS = {"asyncio": 5.0, "trio": 2.0}


def spoil(sandbox: Sandbox, dice: random.Random) -> None:
    """One thing that goes wrong with the websocket, or with a read."""
    kinds = ["drop", "duplicate", "reorder", "corrupt", "cut"]
    trouble = dice.choice(["reset", "close", "handshake", "frame", "frame", "read"])
    if trouble == "reset":
        sandbox.sockets.reset()
    elif trouble == "close":
        sandbox.sockets.close(dice.choice([1000, 1001, 1011, 1012, 4000]))
    elif trouble == "handshake":
        sandbox.sockets.faults.add(SocketFault(kind=dice.choice(["refuse", "reset"]), times=1))
    elif trouble == "frame":
        sandbox.sockets.faults.add(SocketFault(kind=dice.choice(kinds), times=dice.randint(1, 4), size=2))  # type: ignore[arg-type]
    else:
        sandbox.faults.add(Fault(kind="status", status=dice.choice([500, 503]), operation="get_conversation_messages"))


def write(customers: list[Customer], dice: random.Random, number: int, *, since: int) -> None:
    """What customers do: they write, sometimes a little out of order, and type.

    Nothing is dated before `since`: what is older than the agent's joining is not for this agent.
    """
    customer = dice.choice(customers)
    customer.type(f"{number}...")
    if dice.random() < 0.1:
        customer.write(str(number), epoch=max(since, int(time.time() * 1000) - dice.randint(1, 2_000)))
    else:
        customer.write(str(number))


@pytest.mark.ultracart_sandbox(conversations=5)
@pytest.mark.parametrize("personality", PERSONALITIES, ids=str)
async def test_nothing_is_lost_and_nothing_comes_twice(
    new_session: NewSession,
    client: ConversationClient,
    ultracart_sandbox: Sandbox,
    personality: Personality,
    anyio_backend: str,
) -> None:
    dice = random.Random(repr(personality))
    ultracart_sandbox.personality = personality
    outcomes: Counter[type] = Counter()
    async with reading(new_session(sending=Sending(echo=0.2, unknown=5.0))) as reader:
        customers = [await chat(client, ultracart_sandbox, name=name) for name in ("Ann Lee", "Bo Ek", "Cy Dorn")]
        uuids = [customer.conversation_uuid for customer in customers]
        since = int(time.time() * 1000)

        async def answer(uuid: str, body: str) -> None:
            outcomes[type(await reader.session.send_message(uuid, body))] += 1

        async with anyio.create_task_group() as answers:
            end, number = time.monotonic() + SECONDS[anyio_backend], 0
            while time.monotonic() < end:
                write(customers, dice, number := number + 1, since=since)
                if number % 10 == 0:
                    spoil(ultracart_sandbox, dice)
                if number % 7 == 0:
                    answers.start_soon(answer, dice.choice(uuids), f"answer {number}")
                await anyio.sleep(dice.random() * 0.02)
            ultracart_sandbox.sockets.faults.clear()
            ultracart_sandbox.faults.clear()

        def sent() -> set[str]:
            return {
                message["conversation_message_uuid"]
                for uuid in uuids
                for message in ultracart_sandbox.snapshot(uuid)["messages"]
            }

        def received() -> list[str]:
            events = reader.of(MessageReceived)
            return [event.message.conversation_message_uuid for event in events if event.conversation_uuid in uuids]

        await reader.until(lambda: set(received()) >= sent(), seconds=30)
        assert set(received()) == sent()
        assert len(received()) == len(sent())
        assert outcomes[Sent] > 0
        bodies = [message["body"] for uuid in uuids for message in ultracart_sandbox.snapshot(uuid)["messages"]]
        assert max(Counter(body for body in bodies if body.startswith("answer")).values()) == 1
