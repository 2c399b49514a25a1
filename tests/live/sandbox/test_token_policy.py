"""How a token travels, and what happens to a socket whose token expires."""

import pytest
from websockets import Subprotocol
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import connect

from tests.live.sandbox.strangers import OpenSocket, Rest
from ultracart_conversation.sandbox import Clock, Sandbox


def test_the_token_may_be_left_for_the_client_to_present(rest: Rest, sandbox: Sandbox) -> None:
    sandbox.tokens.in_url = False
    bare = f"ws://127.0.0.1:{sandbox.port}/agent/websocket"
    granted = [rest.put("/agent/auth")["agent_auth"] for _ in range(3)]
    assert {each["websocket_url"] for each in granted} == {bare}
    in_query, in_header, in_subprotocol = (each["jwt"] for each in granted)
    with (
        connect(f"{bare}?token={in_query}"),
        connect(bare, additional_headers={"Authorization": f"Bearer {in_header}"}),
        connect(bare, subprotocols=[Subprotocol("jwt"), Subprotocol(in_subprotocol)]) as connection,
    ):
        assert connection.subprotocol == "jwt"
        assert sandbox.sockets.count == 3


def test_the_query_parameter_may_have_another_name(rest: Rest, sandbox: Sandbox) -> None:
    sandbox.tokens.parameter = "auth"
    granted = rest.put("/agent/auth")["agent_auth"]
    bare, _, query = granted["websocket_url"].partition("?")
    assert query == f"auth={granted['jwt']}"
    with pytest.raises(InvalidStatus) as raised, connect(f"{bare}?token={granted['jwt']}"):
        pass
    assert raised.value.response.status_code == 401
    with connect(granted["websocket_url"]):
        assert sandbox.sockets.count == 1


def test_a_token_is_checked_only_at_the_handshake(rest: Rest, clock: Clock, open_socket: OpenSocket) -> None:
    socket = open_socket()
    clock.advance(500)
    assert socket.drain() == []


@pytest.mark.parametrize("code", [1008, 4401])
def test_an_open_socket_may_end_with_its_token(
    sandbox: Sandbox, clock: Clock, open_socket: OpenSocket, code: int
) -> None:
    sandbox.tokens.enforced = True
    sandbox.tokens.expiry_code = code
    socket = open_socket()
    clock.advance(299)
    later = open_socket()
    assert socket.drain() == []
    clock.advance(1)
    with pytest.raises(ConnectionClosed) as raised:
        socket.next()
    assert raised.value.rcvd is not None
    assert (raised.value.rcvd.code, raised.value.rcvd.reason) == (code, "Token expired")
    assert later.drain() == []
