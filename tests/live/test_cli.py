"""The command line as a user has it: real processes against a sandbox."""

import json
import signal
import socket
import sys
import unicodedata
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import closing
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest

from tests.live.command_line import CLI, PATIENCE, Terminal, assert_one_line, environment, run, start
from ultracart_conversation.sandbox import Sandbox

NAME = "\u6f22\u5b57 \x1b]0;pwned\x07\u202eZo\u00eb"
TEXT = "look:\x1b[2J\x9b31m\r\n\u2066second line \x7f\u202etxt.exe \U0001f375 \U000e0041"


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(customers=3, conversations=120) as running:
        yield running


@pytest.fixture(scope="module")
def hostile() -> Iterator[Sandbox]:
    """A sandbox whose only customers attack the agent's terminal."""
    with Sandbox(customers=0, conversations=0) as running:
        running.arrive(name=NAME, question=TEXT)
        running.text(TEXT, name=NAME)
        yield running


def test_version_and_help() -> None:
    assert run("--version", env=environment()).stdout.startswith("ultracart-conversation 0.")
    shown = run("--help", env=environment()).stdout
    assert all(word in shown for word in ("demo", "sandbox", "list", "show", "queues", "tail", "ULTRACART_API_KEY"))
    told = run("tail", "--help", env=environment()).stdout
    assert all(word in told for word in ("--json", "--follow", "--checkpoint", "Ctrl-C", "replayed", "generation"))


@pytest.mark.parametrize(
    "arguments",
    [(), ("unknown",), ("list", "--max", "-1"), ("sandbox", "--port", "65536"), ("tail", "--follow", "none")],
    ids=lambda arguments: " ".join(arguments) or "nothing",
)
def test_a_wrong_command_line_is_explained(arguments: tuple[str, ...]) -> None:
    done = run(*arguments, env=environment())
    assert done.returncode == 2
    assert done.stdout == ""
    assert "usage: ultracart-conversation" in done.stderr


def test_list_is_a_table(sandbox: Sandbox) -> None:
    done = run("list", "--max", "5", env=environment(sandbox))
    head, *rows = done.stdout.splitlines()
    assert head.split() == ["CONVERSATION", "LAST", "VIA", "MSGS", "PEOPLE", "LAST", "WORDS"]
    assert [row.split()[0] for row in rows] == sandbox.conversation_uuids[:5]
    assert (done.returncode, done.stderr) == (0, "")


def test_list_says_where_its_default_stops(sandbox: Sandbox) -> None:
    done = run("list", env=environment(sandbox))
    assert len(done.stdout.splitlines()) == 1 + 100
    assert done.stderr == "the newest 100; --max 0 lists all\n"


def test_list_json_is_every_conversation_once(sandbox: Sandbox) -> None:
    done = run("list", "--json", "--max", "0", env=environment(sandbox))
    listed = [json.loads(line) for line in done.stdout.splitlines()]
    assert [each["conversation_uuid"] for each in listed] == sandbox.conversation_uuids
    assert (done.returncode, done.stderr) == (0, "")


def test_list_of_one_medium(sandbox: Sandbox) -> None:
    done = run("list", "--json", "--medium", "sms", env=environment(sandbox))
    assert {json.loads(line)["medium"] for line in done.stdout.splitlines()} == {"sms"}


def test_show_is_the_whole_conversation(sandbox: Sandbox) -> None:
    uuid = sandbox.conversation_uuids[-1]
    snapshot = sandbox.snapshot(uuid)
    assert json.loads(run("show", uuid, "--json", env=environment(sandbox)).stdout) == snapshot
    shown = run("show", uuid, env=environment(sandbox)).stdout
    assert uuid in shown
    said = [line.removeprefix("    ") for line in shown.splitlines() if line.startswith("    ")]
    assert [line for line in said if not line.startswith("[")] == [each["body"] for each in snapshot["messages"]]


def test_queues_are_those_of_the_service(sandbox: Sandbox) -> None:
    done = run("queues", "--json", env=environment(sandbox))
    queues = sandbox.state()["queue_statuses"]
    assert [json.loads(line) for line in done.stdout.splitlines()] == queues
    shown = run("queues", env=environment(sandbox)).stdout
    for queue in queues:
        assert queue["queue_name"] in shown
        assert all(entry["conversation_webchat_queue_uuid"] in shown for entry in queue["queue_entries"])


def test_times_are_local(hostile: Sandbox) -> None:
    written = datetime.fromisoformat(hostile.snapshot(hostile.conversation_uuids[0])["last_message_dts"])
    there = written.astimezone(timezone(timedelta(hours=5, minutes=45)))
    assert f"{there:%m-%d %H:%M}" in run("list", env=environment(hostile, TZ="XXX-5:45")).stdout


def test_nothing_is_something_too() -> None:
    with Sandbox(customers=0, conversations=0) as empty:
        assert run("list", env=environment(empty)).stdout == "no conversations\n"


@pytest.mark.parametrize("command", ["list", "show", "queues"])
@pytest.mark.parametrize("format_", [(), ("--json",)], ids=["people", "json"])
def test_no_customer_reaches_the_terminal(hostile: Sandbox, command: str, format_: tuple[str, ...]) -> None:
    uuid = hostile.conversation_uuids if command == "show" else ()
    done = run(command, *uuid, *format_, env=environment(hostile))
    assert done.returncode == 0, done.stderr
    assert {each for each in done.stdout if unicodedata.category(each) in {"Cc", "Cf", "Zl", "Zp"}} == {"\n"}
    assert "\u6f22\u5b57" in done.stdout
    if format_:
        read = [json.loads(line) for line in done.stdout.splitlines()]
        assert json.dumps(NAME) in json.dumps(read)
        assert json.dumps(TEXT) in json.dumps(read)


@pytest.mark.parametrize(("command", "columns"), [("list", 60), ("list", 120), ("show", 60)])
def test_lines_fit_the_terminal(hostile: Sandbox, command: str, columns: int) -> None:
    uuid = hostile.conversation_uuids if command == "show" else ()
    window = Terminal(command, *uuid, env=environment(hostile), columns=columns)
    assert window.finish() == 0
    assert hostile.conversation_uuids[0] in window.text
    assert max(map(_cells, window.text.splitlines())) <= columns


def _cells(text: str) -> int:
    return len(text) + sum(unicodedata.east_asian_width(each) in "WF" for each in text)


@pytest.mark.parametrize(
    ("arguments", "changed", "words"),
    [
        (("queues",), {"ULTRACART_API_KEY": ""}, ("ULTRACART_API_KEY",)),
        (("tail",), {"ULTRACART_API_KEY": ""}, ("ULTRACART_API_KEY",)),
        (("queues",), {"ULTRACART_API_KEY": "wrong"}, ("401", "check the API key")),
        (("queues",), {"ULTRACART_API_KEY": "two\nlines"}, ("API key",)),
        (("queues",), {"ULTRACART_BASE_URL": "http://example.com/rest/v2"}, ("https",)),
        (("show", "unknown"), {}, ("does not exist",)),
        (("show", ".."), {}, ("conversation_uuid", "'..'")),
        (("show", "\x1b[2J"), {}, ("does not exist",)),
    ],
    ids=["no key", "no key to tail", "wrong key", "broken key", "insecure", "unknown uuid", "dots", "escape"],
)
def test_an_error_is_one_line(
    sandbox: Sandbox, arguments: tuple[str, ...], changed: dict[str, str], words: tuple[str, ...]
) -> None:
    done = run(*arguments, env=environment(sandbox) | changed)
    assert_one_line(done, *words)
    assert "\x1b" not in done.stderr


def test_an_unreachable_service_is_one_line(sandbox: Sandbox) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    done = run("list", env=environment(sandbox, ULTRACART_BASE_URL=f"http://127.0.0.1:{port}/rest/v2"))
    assert_one_line(done, f"no connection to UltraCart at 127.0.0.1:{port} ", "nothing was sent")
    assert sandbox.api_key not in done.stderr


def test_what_is_not_there_may_be_elsewhere(sandbox: Sandbox) -> None:
    elsewhere = environment(sandbox, ULTRACART_BASE_URL=sandbox.base_url.replace("/v2", "/v3"))
    assert_one_line(run("queues", env=elsewhere), "404", "check the base URL (ULTRACART_BASE_URL)")
    missing = run("show", "unknown", env=environment(sandbox))
    assert_one_line(missing, "400", "does not exist")
    assert "ULTRACART_BASE_URL" not in missing.stderr


def test_a_bug_is_one_line_unless_asked() -> None:
    broken = (
        "import sys, ultracart_conversation as uc\n"
        "def list_(*_, **__): raise LookupError('three\\nlines\\n')\n"
        "uc.ConversationClient.iter_conversations = list_\n"
        "from ultracart_conversation.cli import main\n"
        "sys.exit(main())"
    )
    env = environment(ULTRACART_API_KEY="key")
    assert_one_line(run("list", env=env, command=(sys.executable, "-c", broken)), "a bug: LookupError: three lines")
    traced = run("--traceback", "list", env=env, command=(sys.executable, "-c", broken))
    assert traced.returncode == 1
    assert "Traceback" in traced.stderr


def test_a_reader_who_has_enough_is_no_error(sandbox: Sandbox) -> None:
    with start("list", "--json", "--max", "0", env=environment(sandbox)) as listing:
        assert listing.stdout is not None
        assert listing.stderr is not None
        assert json.loads(listing.stdout.readline())
        listing.stdout.close()
        assert listing.stderr.read() == ""
        assert listing.wait(PATIENCE) == 0


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full here")
def test_a_full_disk_is_one_line(sandbox: Sandbox) -> None:
    with Path("/dev/full").open("w") as full:
        done = run("list", env=environment(sandbox), stdout=full.fileno())
    assert_one_line(done, "cannot write", "No space left")


def test_ascii_is_enough(hostile: Sandbox) -> None:
    done = run("list", "--json", env=environment(hostile, PYTHONIOENCODING="ascii"))
    assert done.stdout.isascii()
    assert json.dumps(NAME) in json.dumps(json.loads(done.stdout))
    assert run("list", env=environment(hostile, PYTHONIOENCODING="ascii")).stdout.isascii()


def test_without_rich_and_without_the_sandbox(sandbox: Sandbox) -> None:
    lacking = (
        "import sys; sys.modules.update(dict.fromkeys(('rich', 'starlette', 'uvicorn')))\n"
        "from ultracart_conversation.cli import main; sys.exit(main())"
    )
    command = (sys.executable, "-c", lacking)
    assert run("list", "--max", "1", env=environment(sandbox), command=command).returncode == 0
    for name in ("demo", "sandbox"):
        done = run(name, env=environment(), command=command)
        assert_one_line(done, 'pip install "ultracart-conversation[sandbox]"')


def test_help_imports_nothing_heavy() -> None:
    report = (
        "import sys\n"
        "from ultracart_conversation.cli import main\n"
        "try: main(['--help'])\n"
        "except SystemExit: sys.stderr.write(' '.join(sys.modules))"
    )
    loaded = set(run(env=environment(), command=(sys.executable, "-c", report)).stderr.split())
    assert "ultracart_conversation.cli" in loaded
    assert loaded.isdisjoint({"httpx", "rich", "starlette", "uvicorn", "websockets", "trio", "asyncio"})


@pytest.mark.parametrize(
    ("signal_", "control", "switches"),
    [(signal.SIGTERM, (), 404), (signal.SIGINT, ("--control",), 200)],
    ids=["SIGTERM", "Ctrl-C"],
)
def test_the_sandbox_serves_until_it_is_told_to_stop(
    signal_: signal.Signals, control: tuple[str, ...], switches: int
) -> None:
    arguments = ("--port", "0", "--customers", "2", "--conversations", "4", "--seed", "3", *control)
    with start("sandbox", *arguments, env=environment()) as served:
        assert served.stdout is not None
        ready = json.loads(served.stdout.readline())
        there = {"ULTRACART_API_KEY": ready["api_key"], "ULTRACART_BASE_URL": ready["base_url"]}
        listed = run("list", "--json", env=environment() | there)
        assert _status(f"{ready['base_url'].removesuffix('/rest/v2')}/_sandbox/state") == switches
        served.send_signal(signal_)
        rest, log = served.communicate(timeout=PATIENCE)
    assert (served.returncode, rest) == (0, "")
    assert len(listed.stdout.splitlines()) == 4
    assert "GET /rest/v2/conversation/conversations -> 200 (get_conversations)" in log
    assert "Traceback" not in log


def _status(url: str) -> int:
    try:
        with closing(urllib.request.urlopen(url, timeout=PATIENCE)) as reply:
            return int(reply.status)
    except urllib.error.HTTPError as error:
        with error:
            return error.code


def test_a_taken_port_is_one_line(sandbox: Sandbox) -> None:
    done = run("sandbox", "--port", str(sandbox.port), env=environment())
    assert_one_line(done, f"port {sandbox.port} is in use")


def test_it_is_installed_as_a_program() -> None:
    program = Path(sys.executable).with_name("ultracart-conversation")
    assert (
        run("--version", env=environment(), command=(str(program),)).stdout
        == run("--version", env=environment(), command=CLI).stdout
    )
