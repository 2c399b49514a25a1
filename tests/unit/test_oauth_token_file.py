"""Tokens on disk."""

import json
import os
import traceback
from pathlib import Path

import pytest

from ultracart_conversation import ApiKey, ConfigurationError, OAuth, TokenFile, Tokens
from ultracart_conversation.login import stored_credentials
from ultracart_conversation.oauth.token_file import default_path

TOKENS = Tokens(client_id="app", access_token="s3cret-a", refresh_token="s3cret-r", expires_at=1.5, merchant_id="DEMO")
HERE = "http://127.0.0.1:1/rest/v2"


@pytest.fixture
def file(tmp_path: Path) -> TokenFile:
    return TokenFile(tmp_path / "new" / "tokens.json", base_url=HERE)


def test_what_is_stored_is_read_back(file: TokenFile) -> None:
    assert file.load() is None
    file(TOKENS)
    assert file.load() == TOKENS
    file.forget()
    assert file.load() is None
    file.forget()


def test_only_the_owner_can_read_it_whatever_the_umask(file: TokenFile) -> None:
    old = os.umask(0)
    try:
        file(TOKENS)
        file(TOKENS)
    finally:
        os.umask(old)
    assert file.path.stat().st_mode & 0o777 == 0o600
    assert file.path.parent.stat().st_mode & 0o777 == 0o700
    assert [each.name for each in file.path.parent.iterdir()] == ["tokens.json"]


def test_it_is_nobody_elses_from_its_first_moment(file: TokenFile, monkeypatch: pytest.MonkeyPatch) -> None:
    modes: list[int] = []
    real = os.fsync

    def look(descriptor: int) -> None:
        modes.append(os.fstat(descriptor).st_mode & 0o777)
        real(descriptor)

    monkeypatch.setattr(os, "fsync", look)
    file(TOKENS)
    assert modes == [0o600]


@pytest.mark.parametrize("mode", [0o644, 0o640, 0o604, 0o660])
def test_a_file_that_others_can_read_is_refused(file: TokenFile, mode: int) -> None:
    file(TOKENS)
    file.path.chmod(mode)
    for use in (file.load, file.forget, lambda: file(TOKENS)):
        with pytest.raises(ConfigurationError, match="can be read by others") as caught:
            use()
        assert str(file.path) in str(caught.value)
        assert "s3cret" not in str(caught.value)
    assert file.path.stat().st_mode & 0o777 == mode


@pytest.mark.parametrize(
    "content",
    [
        "",
        "{",
        "[]",
        json.dumps({HERE: []}),
        json.dumps({HERE: {"client_id": "app"}}),
        json.dumps({HERE: {"client_id": "app", "access_token": 7}}),
        json.dumps({HERE: {"client_id": "app", "access_token": "a", "expires_at": "soon"}}),
        b"\xff\xfe",
    ],
)
def test_a_damaged_file_is_one_sentence(file: TokenFile, content: str | bytes) -> None:
    file(TOKENS)
    file.path.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(ConfigurationError, match="is damaged: remove it and log in again"):
        file.load()


def test_each_server_has_its_own_login(file: TokenFile) -> None:
    other = TokenFile(file.path, base_url="https://other.example/rest/v2/")
    file(TOKENS)
    assert other.load() is None
    other(Tokens(client_id="second", access_token="b"))
    file.forget()
    stored = other.load()
    assert stored is not None
    assert stored.client_id == "second"


def test_a_failure_to_write_leaves_the_old_file_and_shows_no_token(
    file: TokenFile, monkeypatch: pytest.MonkeyPatch
) -> None:
    file(TOKENS)

    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(ConfigurationError, match="cannot be written: No space left on device") as caught:
        file(Tokens(client_id="app", access_token="s3cret-b"))
    shown = traceback.TracebackException.from_exception(caught.value, capture_locals=True)
    assert not [frame for frame in shown.stack if "s3cret" in str(frame.locals) and "tests" not in frame.filename]
    assert file.load() == TOKENS
    assert [each.name for each in file.path.parent.iterdir()] == ["tokens.json"]


def test_a_place_that_cannot_be_read_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigurationError, match="cannot be read"):
        TokenFile(tmp_path / "file" / "tokens.json").load()


@pytest.mark.parametrize("configured", [None, "", "relative"])
def test_the_default_place(configured: str | None) -> None:
    environment = {} if configured is None else {"XDG_CONFIG_HOME": configured}
    assert default_path(environment) == Path.home() / ".config" / "ultracart-conversation" / "tokens.json"
    assert default_path({"XDG_CONFIG_HOME": "/etc/xdg"}) == Path("/etc/xdg/ultracart-conversation/tokens.json")


def test_the_api_key_wins_then_the_stored_login_then_one_sentence(file: TokenFile) -> None:
    with pytest.raises(ConfigurationError, match="set ULTRACART_API_KEY, or run ultracart-conversation login"):
        stored_credentials(file, environment={"ULTRACART_API_KEY": " "})
    file(TOKENS)
    assert isinstance(stored_credentials(file, environment={}), OAuth)
    assert isinstance(stored_credentials(file, environment={"ULTRACART_API_KEY": "key"}), ApiKey)
