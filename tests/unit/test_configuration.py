"""Bad input is one clear sentence, before anything is sent; secrets are in no text."""

import pytest

from ultracart_conversation import (
    ApiKey,
    Authorization,
    ConfigurationError,
    ConversationAgentAuth,
    ConversationClient,
    ConversationMultimediaUploadUrl,
    Retry,
    Rotation,
    Timeouts,
)
from ultracart_conversation.config import BASE_URL


@pytest.fixture(autouse=True)
def _no_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ULTRACART_API_KEY", raising=False)
    monkeypatch.delenv("ULTRACART_BASE_URL", raising=False)


def test_a_missing_key_is_one_sentence() -> None:
    with pytest.raises(ConfigurationError) as caught:
        ConversationClient()
    assert str(caught.value) == (
        "no UltraCart API key: pass ConversationClient(api_key) or set the environment variable ULTRACART_API_KEY"
    )


def test_explicit_arguments_win(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ULTRACART_BASE_URL", "https://elsewhere.example")
    assert ConversationClient("key", base_url="https://here.example/rest/").base_url == "https://here.example/rest"
    assert ConversationClient("key").base_url == "https://elsewhere.example"
    monkeypatch.delenv("ULTRACART_BASE_URL")
    assert ConversationClient("key").base_url == BASE_URL


@pytest.mark.parametrize("key", ["", "  ", "line\nbreak", "naïve", "tab\there"])
def test_a_key_that_no_header_can_carry(key: str) -> None:
    with pytest.raises(ConfigurationError, match="printable ASCII"):
        ConversationClient(key)


def test_a_key_and_credentials() -> None:
    with pytest.raises(ConfigurationError, match="not both"):
        ConversationClient("key", credentials=ApiKey("other"))


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("secure.ultracart.com", "must look like"),
        ("ftp://secure.ultracart.com", "must look like"),
        ("https://", "must look like"),
        ("http://[::1", "must look like"),
        ("https://host/rest?key=secret", "must look like"),
        ("https://user:secret@host/rest", "must not carry a user name"),
        ("http://shop.example/rest", "in the clear"),
    ],
)
def test_a_base_url_that_must_not_get_the_key(url: str, said: str) -> None:
    with pytest.raises(ConfigurationError, match=said) as caught:
        ConversationClient("key", base_url=url)
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:8080", "http://localhost/x", "http://[::1]:80", "http://a.localhost"]
)
def test_plain_http_to_this_machine_is_fine(url: str) -> None:
    assert ConversationClient("key", base_url=url).base_url == url


def test_plain_http_elsewhere_on_request() -> None:
    client = ConversationClient("key", base_url="http://proxy.internal", allow_insecure=True)
    assert client.base_url == "http://proxy.internal"


@pytest.mark.parametrize(
    "value",
    [
        ApiKey("s3cret"),
        Authorization("x-ultracart-simple-key", "s3cret"),
        ConversationClient("s3cret"),
        ConversationAgentAuth(jwt="s3cret", pbx_jwt="s3cret", websocket_url="wss://host/?token=s3cret"),
        ConversationAgentAuth.from_dict({"jwt": ["s3cret"], "new_token": "s3cret"}),
        ConversationMultimediaUploadUrl(key="a.png", url="https://host/a.png?X-Amz-Signature=s3cret"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_no_secret_is_in_a_text(value: object) -> None:
    assert "s3cret" not in repr(value) + str(value)


def test_small_values_show_themselves() -> None:
    assert repr(Timeouts(read=5.0)) == "Timeouts(connect=5.0, read=5.0, write=30.0, total=120.0)"
    assert repr(Retry(attempts=2)) == "Retry(attempts=2, initial=0.5, ceiling=30.0, share=0.1)"


@pytest.mark.parametrize("wrong", [{"read": 0}, {"connect": -1}])
def test_a_timeout_is_longer_than_nothing(wrong: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="must be > 0"):
        Timeouts(**wrong)


def test_what_comes_later_is_not_less() -> None:
    with pytest.raises(ValueError, match=r"^latest must be at least earliest, 60.0; got 30.0$"):
        Rotation(earliest=60.0, latest=30.0)
    assert Rotation(earliest=60.0, latest=60.0).latest == 60.0
