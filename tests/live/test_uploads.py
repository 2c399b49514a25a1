"""Files on their way to a presigned URL."""

from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from ultracart_conversation import ConfigurationError, ConversationClient, ReplyError, TransportError, http_info
from ultracart_conversation.sandbox import Fault, Sandbox
from ultracart_conversation.uploads import Source

pytestmark = pytest.mark.anyio
PICTURE = bytes(range(256)) * 1024


def stored(sandbox: Sandbox, key: str) -> httpx.Response:
    """What the service serves under that key."""
    return httpx.get(f"{sandbox.base_url.removesuffix('/rest/v2')}/media/{key}")


async def in_parts() -> AsyncIterator[bytes]:
    for start in range(0, len(PICTURE), 10_000):
        yield PICTURE[start : start + 10_000]


async def test_a_path_bytes_and_an_iterator_arrive_as_they_are(
    client: ConversationClient, ultracart_sandbox: Sandbox, tmp_path: Path
) -> None:
    file = tmp_path / "picture.png"
    file.write_bytes(PICTURE)
    sources: list[Source] = [file, str(file), PICTURE, in_parts()]
    for source in sources:
        key = await client.uploads.put(source, extension=None if source in sources[:2] else ".png")
        reply = stored(ultracart_sandbox, key)
        assert reply.content == PICTURE
        assert reply.headers["Content-Type"] == "image/png"
        assert key.endswith(".png")


async def test_our_credentials_stay_at_home_and_the_size_is_told(
    client: ConversationClient, ultracart_sandbox: Sandbox
) -> None:
    await client.uploads.put(in_parts(), extension="png")
    put = next(request for request in ultracart_sandbox.requests if request.raw_path.startswith(b"/uploads/"))
    assert ultracart_sandbox.api_key not in str(put.headers)
    assert not [name for name in put.headers if "ultracart" in name or name == "authorization"]
    assert put.headers["content-length"] == str(len(PICTURE))


async def test_http_info_shows_the_upload_without_its_signature(client: ConversationClient) -> None:
    with http_info() as info:
        await client.uploads.put(PICTURE, extension="png")
    assert [exchange.operation for exchange in info.exchanges] == [
        "get_conversation_multimedia_upload_url",
        "uploads.put",
    ]
    assert info.status_code == 200
    assert "Signature" not in repr(info)


async def test_progress_counts_up_to_the_size(client: ConversationClient) -> None:
    calls: list[tuple[int, int]] = []

    async def slowly(sent: int, size: int) -> None:
        calls.append((sent, size))

    await client.uploads.put(PICTURE, extension="png", progress=lambda *call: calls.append(call))
    in_sync, calls[:] = calls[:], []
    await client.uploads.put(PICTURE, extension="png", progress=slowly)
    assert in_sync == calls
    assert calls[-1] == (len(PICTURE), len(PICTURE))
    assert calls == sorted(calls)
    assert len(calls) == 4


async def test_a_signature_without_the_content_type(client: ConversationClient, ultracart_sandbox: Sandbox) -> None:
    ultracart_sandbox.faults.add(Fault(kind="status", status=403, operation="put_upload"))
    key = await client.uploads.put(in_parts(), extension="png")
    assert stored(ultracart_sandbox, key).content == PICTURE
    first, second = (r for r in ultracart_sandbox.requests if r.raw_path.startswith(b"/uploads/"))
    assert first.headers["content-type"] == "image/png"
    assert second.headers.get("content-type") != "image/png"


async def test_a_refused_upload_is_one_clear_error(client: ConversationClient, ultracart_sandbox: Sandbox) -> None:
    ultracart_sandbox.faults.add(Fault(kind="status", status=403, operation="put_upload", times=None))
    with pytest.raises(ReplyError, match=r"^uploads.put: ") as caught:
        await client.uploads.put(PICTURE, extension="png")
    assert caught.value.status_code == 403
    assert "Signature" not in str(caught.value)


async def test_a_lost_upload(client: ConversationClient, ultracart_sandbox: Sandbox) -> None:
    ultracart_sandbox.faults.add(Fault(kind="drop before", operation="put_upload", times=None))
    with pytest.raises(TransportError, match=r"^uploads.put: .*safe to try again"):
        await client.uploads.put(PICTURE, extension="png")


async def test_what_cannot_be_uploaded(client: ConversationClient, ultracart_sandbox: Sandbox, tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"cannot read .*missing.png: No such file"):
        await client.uploads.put(tmp_path / "missing.png")
    with pytest.raises(ConfigurationError, match="which kind of file"):
        await client.uploads.put(PICTURE)
    with pytest.raises(ConfigurationError, match="which kind of file"):
        await client.uploads.put(tmp_path / "bare")
    assert ultracart_sandbox.requests == []
