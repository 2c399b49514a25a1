"""Logging in at a terminal: the login is used, kept from others' eyes, and ended."""

import re
import stat
from collections.abc import Generator
from pathlib import Path

import pytest

from tests.live.command_line import PATIENCE, assert_one_line, environment, run, start
from ultracart_conversation.sandbox import Sandbox


@pytest.fixture
def sandbox() -> Generator[Sandbox]:
    with Sandbox(conversations=3) as sandbox:
        sandbox.oauth.interval = 1
        yield sandbox


@pytest.fixture
def env(sandbox: Sandbox, tmp_path: Path) -> dict[str, str]:
    return environment(sandbox, ULTRACART_API_KEY="", XDG_CONFIG_HOME=str(tmp_path))


def log_in(sandbox: Sandbox, env: dict[str, str], *, approve: bool) -> tuple[int, str, str]:
    """Run `login` and answer in the user's place; its exit code, stdout and stderr."""
    with start("login", "--client-id", "sandbox-application", env=env) as process:
        assert process.stdout is not None
        shown = process.stdout.readline() + process.stdout.readline()
        (code,) = sandbox.oauth.user_codes
        assert code in shown
        assert re.search(r"^Open http://127\.0\.0\.1:\d+/", shown)
        (sandbox.oauth.approve if approve else sandbox.oauth.deny)(code)
        stdout, stderr = process.communicate(timeout=PATIENCE)
    return process.returncode, stdout, stderr


def test_a_login_serves_the_commands_until_it_is_ended(sandbox: Sandbox, env: dict[str, str], tmp_path: Path) -> None:
    code, stdout, stderr = log_in(sandbox, env, approve=True)
    assert (code, stderr) == (0, "")
    file = tmp_path / "ultracart-conversation" / "tokens.json"
    assert str(file) in stdout
    assert stat.S_IMODE(file.stat().st_mode) == 0o600

    assert len(run("list", "--json", env=env).stdout.splitlines()) == 3
    before = file.read_text()
    sandbox.oauth.expire()
    assert run("queues", env=env).returncode == 0
    assert file.read_text() != before
    assert "authorization" in sandbox.requests[-1].headers

    ended = run("login", "--logout", env=env)
    assert (ended.returncode, ended.stderr) == (0, "")
    assert "Logged out" in ended.stdout
    assert_one_line(run("queues", env=env), "ULTRACART_API_KEY", "login")


def test_no_is_one_line(sandbox: Sandbox, env: dict[str, str], tmp_path: Path) -> None:
    code, _, stderr = log_in(sandbox, env, approve=False)
    assert code == 1
    assert stderr.count("\n") == 1
    assert "Traceback" not in stderr
    assert not list(tmp_path.rglob("tokens.json"))


def test_others_must_not_read_the_file(sandbox: Sandbox, env: dict[str, str], tmp_path: Path) -> None:
    log_in(sandbox, env, approve=True)
    (tmp_path / "ultracart-conversation" / "tokens.json").chmod(0o644)
    assert_one_line(run("queues", env=env), "tokens.json", "chmod 600")


def test_which_application(env: dict[str, str]) -> None:
    assert_one_line(run("login", env=env), "--client-id", "ULTRACART_CLIENT_ID")
