"""What may carry a key over the wire: verified TLS or this machine, never a redirect."""

import os
import socket
import ssl
import subprocess
import sys
import threading
from collections.abc import Generator
from pathlib import Path

import pytest
import trustme

from ultracart_conversation import ConversationClient, Limits, ReplyError
from ultracart_conversation.sandbox import Fault, Sandbox

SCRIPT = """
import anyio, sys
from ultracart_conversation import ConnectError, ConversationClient, Retry, TransportError

async def main():
    async with ConversationClient("key", base_url=sys.argv[1], retry=Retry(attempts=1)) as client:
        try:
            await client.get_conversations()
        except TransportError as error:
            print(type(error).__name__, error)

anyio.run(main)
"""
SWITCHES = {
    "PYTHONHTTPSVERIFY": "0",
    "CURL_CA_BUNDLE": "",
    "REQUESTS_CA_BUNDLE": "",
    "SSL_NO_VERIFY": "1",
    "NODE_TLS_REJECT_UNAUTHORIZED": "0",
    "HTTPX_VERIFY": "0",
    "ULTRACART_VERIFY": "0",
}


@pytest.fixture
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def tls_address(authority: trustme.CA) -> Generator[str]:
    """A server with a certificate of `authority` that counts as 127.0.0.1 and hangs up after the handshake."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            with connection:
                try:
                    context.wrap_socket(connection, server_side=True).close()
                except OSError:
                    continue

    thread = threading.Thread(target=serve)
    thread.start()
    yield f"https://127.0.0.1:{listener.getsockname()[1]}/rest/v2"
    listener.shutdown(socket.SHUT_RDWR)
    listener.close()
    thread.join()


def connect(address: str, **environment: str) -> str:
    command = [sys.executable, "-c", SCRIPT, address]
    run = subprocess.run(command, env=os.environ | environment, capture_output=True, text=True, check=True)
    return run.stdout


def test_no_environment_variable_switches_verification_off(tls_address: str) -> None:
    said = connect(tls_address, **SWITCHES)
    assert said.startswith("ConnectError")
    assert "CERTIFICATE_VERIFY_FAILED" in said


def test_another_authority_can_be_trusted(tls_address: str, authority: trustme.CA, tmp_path: Path) -> None:
    bundle = tmp_path / "authority.pem"
    authority.cert_pem.write_to_path(str(bundle))
    said = connect(tls_address, SSL_CERT_FILE=str(bundle))
    assert said.startswith("TransportError")


@pytest.mark.anyio
async def test_a_redirect_is_an_error_and_is_not_followed(
    client: ConversationClient, ultracart_sandbox: Sandbox
) -> None:
    elsewhere = {"Location": ultracart_sandbox.base_url + "/conversation/agent/keepalive"}
    ultracart_sandbox.faults.add(Fault(kind="status", status=302, headers=elsewhere, body="empty"))
    with pytest.raises(ReplyError, match="answered 302") as caught:
        await client.get_conversations()
    assert caught.value.status_code == 302
    assert [request.operation for request in ultracart_sandbox.requests] == ["get_conversations"]


@pytest.mark.anyio
async def test_http2_is_offered_with_its_extra(ultracart_sandbox: Sandbox) -> None:
    key, url = ultracart_sandbox.api_key, ultracart_sandbox.base_url
    async with ConversationClient(key, base_url=url, limits=Limits.unlimited(), http2=True) as client:
        assert (await client.get_conversations(limit=1)).conversations
