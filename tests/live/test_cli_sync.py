"""`sync` as a user has it: what it reads, what that costs, and that no end harms the archive."""

import json
import re
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.live.command_line import PATIENCE, Terminal, assert_one_line, environment, run
from tests.live.sync_command import (
    LIST,
    READ,
    Sync,
    archived,
    asked,
    ended,
    forget,
    lacking,
    stalled,
    stored,
    synchronised,
)
from tests.live.tail_command import wait_for
from ultracart_conversation.sandbox import Fault, RateLimits, Sandbox

CONVERSATIONS = 12
LEAVING = 4.0
"""Seconds that Ctrl-C may take: less than one where nothing else runs."""
HIDE_CURSOR, SHOW_CURSOR = "\x1b[?25l", "\x1b[?25h"


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(customers=0, conversations=CONVERSATIONS, messages=(1, 5), limits=RateLimits()) as running:
        yield running


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    return tmp_path / "conversations.db"


# Once


def test_it_reads_everything_then_what_changed(sandbox: Sandbox, archive: Path) -> None:
    first = ended(sandbox, archive)
    assert archived(archive) == stored(sandbox)
    assert first["new"] == len(stored(sandbox))
    assert asked(sandbox) == set(sandbox.conversation_uuids)
    assert sandbox.request_counts.total() <= 1.02 * CONVERSATIONS + 60

    forget(sandbox)
    changed = sandbox.burst(3, each=2)
    second = ended(sandbox, archive)
    assert archived(archive) == stored(sandbox)
    assert (second["new"], second["conversations"]) == (6, CONVERSATIONS)
    assert asked(sandbox) == set(changed)
    # Where no page was ever full, it takes a second one to prove that the first one was all.
    assert sandbox.request_counts[READ] <= 2 * 3
    assert sandbox.request_counts[LIST] == 1


def test_its_lines_say_where_it_begins_and_ends(sandbox: Sandbox, archive: Path) -> None:
    begin, end = synchronised(sandbox, archive)
    assert re.fullmatch(rf"\d\d:\d\d:\d\d  {archive} is empty: reading everything, newest first", begin)
    assert re.fullmatch(
        rf"\d\d:\d\d:\d\d  up to date: {CONVERSATIONS} conversations, {len(stored(sandbox))} new messages; "
        r"\d\d requests, 9,9\d\d left for the next 24 h; \d\.\d s; complete through [0-9: -]+",
        end,
    )
    begin, end = synchronised(sandbox, archive)
    assert f"goes on: {CONVERSATIONS} conversations; complete through " in begin
    assert f"up to date: {CONVERSATIONS} conversations, 0 new messages; " in end


def test_the_limits_of_the_day_hold_across_runs(sandbox: Sandbox, archive: Path) -> None:
    first = ended(sandbox, archive)
    second = ended(sandbox, archive)
    made = sum(first["requests"].values()) + sum(second["requests"].values())
    assert 10_000 - made <= second["requests_left_24_h"] <= first["requests_left_24_h"] < 10_000


def test_what_is_left_out_is_said(sandbox: Sandbox, archive: Path) -> None:
    middle = datetime.now(UTC) - timedelta(days=15)
    arguments = ("--since", f"{middle:%Y-%m-%d}", "--medium", "sms", "--oldest-first")
    begin, _ = synchronised(sandbox, archive, *arguments, TZ="XXX-5:45")
    assert f"reading all SMS since {middle:%Y-%m-%d} 00:00 UTC, oldest first" in begin
    since = middle.replace(hour=0, minute=0, second=0, microsecond=0)
    wanted = {
        each["conversation_message_uuid"]
        for uuid in sandbox.conversation_uuids
        if (snapshot := sandbox.snapshot(uuid))["medium"] == "sms"
        for each in snapshot["messages"]
        if each["message_epoch"] >= since.timestamp() * 1000
    }
    assert {uuid for _, uuid, _ in archived(archive)} == wanted
    assert wanted


def test_a_conversation_that_cannot_be_read_is_named(sandbox: Sandbox, archive: Path) -> None:
    poisoned = sandbox.conversation_uuids[3]
    sandbox.faults.add(Fault(kind="html", conversation_uuid=poisoned, times=None))
    lines = synchronised(sandbox, archive)
    assert f"not read, to be tried again: {poisoned}: " in lines[-2]
    assert archived(archive) == {each for each in stored(sandbox) if each[0] != poisoned}


# Interrupted


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGKILL])
def test_it_goes_on_where_it_was_stopped(sandbox: Sandbox, archive: Path, how: signal.Signals) -> None:
    sync, fault = stalled(sandbox, archive, after=5)
    with sync:
        sync.process.send_signal(how)
        code, errors = sync.finish()
    assert code == {signal.SIGINT: 130, signal.SIGKILL: -signal.SIGKILL}[how]
    assert errors == {signal.SIGINT: "ultracart-conversation: interrupted\n", signal.SIGKILL: ""}[how]
    assert 0 < len(archived(archive)) < len(stored(sandbox))
    assert archived(archive) < stored(sandbox)

    sandbox.faults.remove(fault)
    unread = set(sandbox.conversation_uuids) - {uuid for uuid, _, _ in archived(archive)}
    forget(sandbox)
    begin, _ = synchronised(sandbox, archive)
    read = CONVERSATIONS - len(unread)
    assert f"goes on: {read} of {CONVERSATIONS} conversations read; complete not yet, as {len(unread)} conv" in begin
    assert archived(archive) == stored(sandbox)
    assert asked(sandbox) == unread
    assert 0 < read < CONVERSATIONS


def test_ctrl_c_says_where_it_stopped(sandbox: Sandbox, archive: Path) -> None:
    sync, _ = stalled(sandbox, archive, after=5)
    with sync:
        assert sync.interrupt() < LEAVING
    assert re.search(
        rf"stopped, to go on from here next time: \d of {CONVERSATIONS} conversations read", sync.lines[-1]
    )


def test_ctrl_c_ends_the_wait_for_the_rate_limit(sandbox: Sandbox, archive: Path) -> None:
    sandbox.faults.add(Fault(kind="status", status=429, headers={"Retry-After": "600"}, operation=READ))
    with Sync(sandbox, archive, "--json") as sync:
        wait_for(lambda: sandbox.request_counts[READ] == 1)
        assert sync.interrupt() < LEAVING
    assert json.loads(sync.lines[-1])["event"] == "end"


# Following


def test_it_follows_until_ctrl_c(sandbox: Sandbox, archive: Path) -> None:
    with Sync(sandbox, archive, "--follow", "0.2") as sync:
        sync.until(f"the past is read: {CONVERSATIONS} conversations, {len(stored(sandbox))} new messages")
        first, second = map(sandbox.customer, sandbox.conversation_uuids[-2:])
        first.write("Where is my teapot?")
        sync.until("1 new message in 1 conversation")
        second.edit(second.write("Teh lid"), "The lid")
        sync.until("1 new message in 1 conversation")
        assert archived(archive) == stored(sandbox)
        assert sync.interrupt() < LEAVING
    assert "stopped, to go on from here next time" in sync.lines[-1]
    assert ended(sandbox, archive)["new"] == 0


def test_two_on_one_archive_do_no_harm(sandbox: Sandbox, archive: Path) -> None:
    with Sync(sandbox, archive, "--follow", "0.2") as older:
        older.until("the past is read")
        with Sync(sandbox, archive, "--follow", "0.2") as newer:
            newer.until("goes on")
            sandbox.burst(2)
            code, errors = older.finish()
            newer.until("2 new messages in 2 conversations")
            newer.interrupt()
    assert code == 1
    assert errors == f"ultracart-conversation: another sync has taken over {archive}: this one has stopped\n"
    assert archived(archive) == stored(sandbox)


# Trouble


def test_a_service_that_is_not_there_is_one_line(sandbox: Sandbox, archive: Path) -> None:
    sandbox.stop()
    with Sync(sandbox, archive) as sync:
        code, errors = sync.finish()
    assert (code, errors.count("\n")) == (1, 1)
    assert "no connection" in errors
    assert sync.lines[-1].endswith("stopped before anything was read")


@pytest.mark.parametrize("arguments", [(), ("--follow", "0.2")], ids=["once", "follow"])
def test_it_waits_for_a_service_that_goes_away(sandbox: Sandbox, archive: Path, arguments: tuple[str, ...]) -> None:
    sync, fault = stalled(sandbox, archive, *arguments, after=5)
    with sync:
        sandbox.stop()
        sync.until("cannot go on just now, trying again ", sandbox.base_url.split("/")[2])
        sandbox.faults.remove(fault)
        sandbox.start()
        sync.until("it works again")
        sync.until(f"{CONVERSATIONS} conversations, {len(stored(sandbox))} new messages")
    assert archived(archive) == stored(sandbox)


def test_a_rejected_key_is_one_line(sandbox: Sandbox, archive: Path) -> None:
    done = run("sync", "--archive", str(archive), env=environment(sandbox, ULTRACART_API_KEY="wrong"))
    assert (done.returncode, done.stderr.count("\n")) == (1, 1)
    assert all(word in done.stderr for word in ("401", "check the API key"))


def test_an_archive_keeps_to_its_medium(sandbox: Sandbox, archive: Path) -> None:
    env, chosen = environment(sandbox), ("--medium", "sms")
    synchronised(sandbox, archive, *chosen)
    for arguments in ((), ("--medium", "websocket")):
        done = run("sync", "--archive", str(archive), *arguments, env=env)
        assert_one_line(done, f"{archive} follows all SMS: go on with --medium sms, or ", "--archive")
    synchronised(sandbox, archive, *chosen)
    whole = archive.with_name("whole.db")
    synchronised(sandbox, whole)
    assert_one_line(run("sync", "--archive", str(whole), *chosen, env=env), "everything: go on without --medium")


def test_no_key_makes_no_archive(archive: Path) -> None:
    assert_one_line(run("sync", "--archive", str(archive), env=environment()), "ULTRACART_API_KEY")
    assert not archive.exists()


def test_what_is_no_archive_is_left_as_it_is(sandbox: Sandbox, tmp_path: Path) -> None:
    text, foreign = tmp_path / "notes.txt", tmp_path / "foreign.db"
    text.write_text("do not touch " * 100)
    with closing(sqlite3.connect(foreign)) as database:
        database.execute("CREATE TABLE precious (value)")
    before = foreign.read_bytes()
    for path, words in ((text, "not a database"), (foreign, "another program's database"), (tmp_path, str(tmp_path))):
        assert_one_line(run("sync", "--archive", str(path), env=environment(sandbox)), words)
    assert_one_line(run("sync", "--archive", str(tmp_path / "no" / "a.db"), env=environment(sandbox)), "no directory")
    assert text.read_text() == "do not touch " * 100
    assert foreign.read_bytes() == before
    assert sandbox.request_counts.total() == 0


def test_without_its_extra_it_says_what_to_install(sandbox: Sandbox, archive: Path) -> None:
    env = environment(sandbox)
    done = run("sync", "--archive", str(archive), env=env, command=lacking("sqlalchemy", "aiosqlite"))
    assert_one_line(done, 'pip install "ultracart-conversation[archive]"')


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full here")
def test_a_full_disk_under_its_output_is_one_line(sandbox: Sandbox, archive: Path) -> None:
    with Path("/dev/full").open("w") as full:
        done = run("sync", "--archive", str(archive), env=environment(sandbox), stdout=full.fileno())
    assert_one_line(done, "cannot write", "No space left")


@pytest.mark.parametrize("arguments", [(), ("--follow",)], ids=["once", "follow"])
def test_a_reader_who_has_enough_is_no_error(sandbox: Sandbox, archive: Path, arguments: tuple[str, ...]) -> None:
    sync, _ = stalled(sandbox, archive, *arguments, after=5)
    with sync:
        sync.until("is empty")
        assert sync.process.stdout is not None
        assert sync.process.stderr is not None
        sync.process.stdout.close()
        assert sync.process.wait(LEAVING) == 0
        assert sync.process.stderr.read() == ""


# The command line


@pytest.mark.parametrize(
    "arguments",
    [
        "sync",
        "sync --archive x --since tomorrow",
        "sync --archive x --since 2999-01-01",
        "sync --archive x --since 1969-12-31",
        "sync --archive x --since 0001-01-01T00:00+14:00",
        "sync --archive x --since",
        "sync --archive x --once --follow",
        "sync --archive x --follow 0",
        "sync --archive x --follow nan",
        "sync --archive x --medium fax",
    ],
)
def test_a_wrong_command_line_is_explained(arguments: str, tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "ultracart_conversation", *arguments.split()],
        env=environment(),
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    assert (done.returncode, done.stdout) == (2, "")
    assert "usage: ultracart-conversation sync" in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_help_says_it_all_and_loads_little() -> None:
    shown = run("--help", env=environment()).stdout
    assert all(f"\n    {command} " in shown for command in ("sync", "search", "export", "stats"))
    report = (
        "import sys\n"
        "from ultracart_conversation.cli import main\n"
        "try: main(['sync', '--help'])\n"
        "except SystemExit: sys.stderr.write(' '.join(sys.modules))"
    )
    told = run(env=environment(), command=(sys.executable, "-c", report))
    options = ("--archive", "--once", "--follow", "--since", "--medium", "--oldest-first", "--json", "Ctrl-C", "UTC")
    assert all(option in told.stdout for option in options)
    assert "ends as soon as it has something to write" in told.stdout
    heavy = {"sqlalchemy", "aiosqlite", "sqlite3", "rich", "httpx", "asyncio", "pyarrow"}
    assert heavy.isdisjoint(told.stderr.split())


# A terminal


@pytest.mark.parametrize(("kind", "columns"), [("xterm-256color", 80), ("xterm-256color", 110), ("dumb", 60)])
def test_a_terminal_shows_how_it_stands(sandbox: Sandbox, archive: Path, kind: str, columns: int) -> None:
    sandbox.faults.add(Fault(kind="html", conversation_uuid=sandbox.conversation_uuids[0], times=None))
    window = Terminal("sync", "--archive", str(archive), env=environment(sandbox), columns=columns, kind=kind)
    assert window.finish() == 0
    text = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", window.text)
    assert max(map(len, re.split(r"[\r\n]+", text))) <= columns
    assert ("\x1b" in window.text) == (kind != "dumb")
    if kind == "dumb":
        return
    assert window.text.rindex(HIDE_CURSOR) < window.text.rindex(SHOW_CURSOR)
    last = [line.split() for line in text[text.rindex("conversations  ") :].replace("\r", "").splitlines()]
    assert [line[0] for line in last] == [
        "conversations", "messages", "requests", "complete", "quarantined", "time", "now"
    ]  # fmt: skip
    assert last[0][1] == str(CONVERSATIONS)
    assert last[-1][1:] == ["up", "to", "date"]


@pytest.mark.parametrize(
    ("how", "columns", "code", "said"),
    [(signal.SIGINT, 80, 130, "interrupted"), (signal.SIGTERM, 40, 143, "terminated")],
    ids=["Ctrl-C", "SIGTERM"],
)
def test_a_terminal_keeps_the_last_state(
    sandbox: Sandbox, archive: Path, how: signal.Signals, columns: int, code: int, said: str
) -> None:
    window = Terminal("sync", "--archive", str(archive), "--follow", "0.2", env=environment(sandbox), columns=columns)
    window.read_until("watching")
    sandbox.burst(1)
    window.read_until("1 new message in 1")
    window.read_until("lag ")
    window.process.send_signal(how)
    assert window.finish() == code
    assert window.text.endswith(f"ultracart-conversation: {said}\r\n")
    assert "stopped; goes on later" in window.text
    assert window.text.rindex(HIDE_CURSOR) < window.text.rindex(SHOW_CURSOR)
