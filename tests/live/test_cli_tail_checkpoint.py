"""`tail --checkpoint`: it goes on where the last run ended."""

import re
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.live.command_line import environment, run
from tests.live.tail_command import Tail, chat, wait_for
from ultracart_conversation.sandbox import Sandbox


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(customers=0, conversations=0) as running:
        yield running


def test_a_checkpoint_goes_on_where_the_last_run_ended(sandbox: Sandbox, tmp_path: Path) -> None:
    customer, file = chat(sandbox), tmp_path / "checkpoint.json"
    with Tail(sandbox, "--checkpoint", str(file)) as tail:
        tail.until_live()
        uuid = customer.write("first")
        tail.until("first")
        wait_for(lambda: file.exists() and uuid in file.read_text())
        tail.interrupt()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert sandbox.api_key not in file.read_text()
    customer.write("second")
    uuid = customer.write("third")
    with Tail(sandbox, "--checkpoint", str(file)) as tail:
        tail.until("gap       opened: resumed from a checkpoint")
        tail.until("gap       closed: 2 messages were missing and are here now")
        tail.until_live()
        wait_for(lambda: uuid in file.read_text())
        # What it saved while it ran is enough.
        tail.process.kill()
        tail.finish()
    said = [line.split("  ", 3)[2:] for line in tail.lines if "Grace Holm" in line]
    assert [re.sub(r"at \d\d:\d\d:\d\d", "at", " ".join(each)) for each in said] == [
        "replayed Grace Holm at: second",
        "replayed Grace Holm at: third",
    ]
    with Tail(sandbox, "--checkpoint", str(file)) as tail:
        tail.until("gap       closed: nothing was missing")
    assert list(tmp_path.iterdir()) == [file]


def test_what_is_printed_again_after_a_kill_is_not_lost(sandbox: Sandbox, tmp_path: Path) -> None:
    customer, file = chat(sandbox), tmp_path / "checkpoint.json"
    with Tail(sandbox, "--checkpoint", str(file)) as tail:
        tail.until_live()
        wait_for(file.exists)
        customer.write("perhaps saved")
        tail.process.kill()
        tail.finish()
    customer.write("certainly not")
    printed = [line for line in tail.lines if "perhaps saved" in line]
    with Tail(sandbox, "--checkpoint", str(file)) as tail:
        tail.until_live()
    printed += [line for line in tail.lines if "perhaps saved" in line]
    assert printed
    assert sum("certainly not" in line for line in tail.lines) == 1


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", ("holds no checkpoint",)),
        (b"[]", ("holds no checkpoint",)),
        (b'{"base_url": "x", "checkpoint": {"version": 99}}', ("holds no checkpoint",)),
        (b"\xff\x1b[2J", ("holds no checkpoint",)),
    ],
    ids=["empty", "a list", "another version", "bytes"],
)
def test_a_file_that_is_no_checkpoint_is_one_line_and_stays(
    sandbox: Sandbox, tmp_path: Path, content: bytes, words: tuple[str, ...]
) -> None:
    file = tmp_path / "notes.txt"
    file.write_bytes(content)
    assert_refused(sandbox, str(file), *words)
    assert file.read_bytes() == content


def test_a_checkpoint_of_another_service_is_one_line(sandbox: Sandbox, tmp_path: Path) -> None:
    file = tmp_path / "checkpoint.json"
    with Tail(sandbox, "--checkpoint", str(file)) as tail:
        tail.until_live()
        wait_for(file.exists)
    with Sandbox(customers=0, conversations=0) as other:
        assert_refused(other, str(file), sandbox.base_url, other.base_url)


def test_a_checkpoint_that_cannot_be_kept_is_one_line(sandbox: Sandbox, tmp_path: Path) -> None:
    assert_refused(sandbox, str(tmp_path / "nowhere" / "checkpoint.json"), "cannot be written", "No such file")
    assert_refused(sandbox, str(tmp_path), "cannot be read", "directory")


def assert_refused(sandbox: Sandbox, file: str, *words: str) -> None:
    done = run("tail", "--checkpoint", file, env=environment(sandbox))
    assert (done.returncode, done.stderr.count("\n")) == (1, 1), done
    assert all(word in done.stderr for word in words), done.stderr
    assert "\x1b" not in done.stderr
