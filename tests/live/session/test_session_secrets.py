"""A session's day with every logger at DEBUG: no token and no message in any log, `repr`, state, number or error."""

import traceback

import pytest

from tests.live.listener import Listener
from tests.live.session.conftest import NewSession
from tests.live.session.desk import Reader, chat, eventually, reading
from ultracart_conversation import AgentStatus, ConversationClient, Gap, GapClosed, MessageReceived, UltraCartError
from ultracart_conversation.sandbox import Customer, Sandbox, SocketFault

pytestmark = pytest.mark.anyio
SAID = "my-telephone-number-is-555-0100"


async def survive(fault: SocketFault, reader: Reader, customer: Customer, sandbox: Sandbox) -> None:
    """Lose the connection, and meet a fault on the way back."""
    before = len(reader.of(GapClosed))
    sandbox.sockets.faults.add(fault)
    sandbox.sockets.reset()
    customer.write(SAID)
    await reader.until(lambda: len(reader.of(GapClosed)) > before)


async def test_nothing_is_told(
    new_session: NewSession,
    client: ConversationClient,
    ultracart_sandbox: Sandbox,
    listener: Listener,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    tokens: list[str] = []
    issue = ultracart_sandbox.tokens.issue

    def issued(arn: str) -> str:
        tokens.append(issue(arn))
        return tokens[-1]

    monkeypatch.setattr(type(ultracart_sandbox.tokens), "issue", lambda _, arn: issued(arn))
    told: list[str] = []
    async with reading(new_session()) as reader:
        session = reader.session
        await session.set_status("Support", AgentStatus.AVAILABLE)
        customer = await chat(client, ultracart_sandbox)
        for fault in (
            SocketFault(kind="refuse", status=403),
            SocketFault(kind="refuse", status=503),
            SocketFault(kind="reset"),
            SocketFault(kind="corrupt"),
            SocketFault(kind="cut", size=5),
        ):
            await survive(fault, reader, customer, ultracart_sandbox)
        await session.send_message(customer.conversation_uuid, SAID)
        ultracart_sandbox.sockets.send({"message": tokens[0], "connectionId": "x"})
        told += [repr(session), repr(session.state), repr(session.statistics()), repr(session.agent)]
        told += [repr(session.checkpoint()), str(session.checkpoint().to_dict())]
        await eventually(lambda: reader.of(MessageReceived))
        assert reader.of(Gap)
    ultracart_sandbox.sockets.faults.add(SocketFault(kind="refuse", status=401, times=None))
    try:
        async with new_session() as session:
            await session.wait_live()
    except UltraCartError as error:
        frames = traceback.TracebackException.from_exception(error, capture_locals=True).stack
        told += [str(error), *(str(frame.locals) for frame in frames if "/tests/" not in frame.filename)]
    assert len(tokens) >= 6
    for text in (*told, *listener.texts):
        assert not [token for token in tokens if token in text], text
        assert ultracart_sandbox.api_key not in text
        assert SAID not in text
