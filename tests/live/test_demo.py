"""The demo as a newcomer sees it, in a pipe and in a terminal."""

import re
import signal
import time
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.live.command_line import PATIENCE, Terminal, environment, start

HIDE_CURSOR, SHOW_CURSOR = "\x1b[?25l", "\x1b[?25h"


@dataclass
class Demo:
    """How a demo went."""

    text: str
    errors: str
    code: int
    seconds: float


@dataclass
class Demos:
    """One demo for every kind of output."""

    piped: Demo
    rich: Demo
    dumb: Demo
    bare: Demo
    """Without the extra `archive`."""


@pytest.fixture(scope="module")
def demos(tmp_path_factory: pytest.TempPathFactory) -> Demos:
    """All of them at the same time, as a demo mostly waits."""
    without = tmp_path_factory.mktemp("without")
    (without / "sitecustomize.py").write_text("import sys; sys.modules.update(sqlalchemy=None, aiosqlite=None)")
    started = time.monotonic()
    bare = start("demo", env=environment(PYTHONPATH=str(without)))
    piped = start("demo", env=environment())
    rich = Terminal("demo", env=environment(COLORTERM="truecolor"), columns=80)
    dumb = Terminal("demo", env=environment(), columns=80, kind="dumb")
    output, errors = piped.communicate(timeout=PATIENCE)
    seconds = time.monotonic() - started
    return Demos(
        piped=Demo(output, errors, piped.returncode, seconds),
        rich=Demo(code=rich.finish(), text=rich.text, errors="", seconds=seconds),
        dumb=Demo(code=dumb.finish(), text=dumb.text, errors="", seconds=seconds),
        bare=Demo(*bare.communicate(timeout=PATIENCE), bare.returncode, seconds),
    )


@pytest.fixture(params=["piped", "rich", "dumb"])
def demo(request: pytest.FixtureRequest, demos: Demos) -> Demo:
    each: Demo = getattr(demos, request.param)
    return each


def readable(text: str) -> str:
    """Without colours and cursor movements."""
    return re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", text).replace("\r", "\n")


def test_it_ends_well_and_soon(demo: Demo) -> None:
    assert demo.code == 0, demo.text + demo.errors
    assert demo.errors == ""
    assert demo.seconds < PATIENCE
    assert "Traceback" not in demo.text


def test_it_shows_what_was_called_and_what_it_cost(demo: Demo) -> None:
    text = readable(demo.text)
    for call in (
        "AgentSession(client) PUT 200, GET 200, 200",
        "get_agent_keep_alive() GET 204",
        "session.set_status(...) PUT 204",
        "iter_conversations() 4 x GET 200",
        "get_conversation(uuid, limit=10) GET 200",
        "session.join(uuid) PUT 204",
        "session.send_message(uuid, body) 1 frame",
        'uploads.put(png, extension="png") GET 200, PUT 200',
        "session.mark_read(uuid) PUT 204",
        "session.pick_up(event.entry) PUT 200",
        "get_conversation_context(uuid) PUT 503, 200",
        "start_conversation(queue entry) PUT lost",
        "session.leave(uuid) DELETE 204",
    ):
        name, sent = call.split(") ")
        assert re.search(rf"{re.escape(name)}\) +{re.escape(sent)} +\d+\.\d ms", text), (call, text)


def test_an_agent_and_a_customer_chat(demo: Demo) -> None:
    text = words(demo)
    assert_in_order(
        text,
        r"typing Elif Nov\u00e1k",
        r"\d\d:\d\d:\d\d Elif Nov\u00e1k: Hello, my teapot arrived, but the lid is 0\.\d\d s chipped",
        r"Sent: the service has it, by its echo",
        r"\d\d:\d\d:\d\d Ada Park: I am sorry! Which order is it\? 0\.\d\d s",
        r"\d\d:\d\d:\d\d Ada Park: Here it is",
    )


def test_a_cut_connection_loses_nothing(demo: Demo) -> None:
    text = words(demo)
    assert_in_order(
        text,
        r"Now the sandbox cuts the connection while the customer writes:",
        r"typing Elif Nov\u00e1k",
        r"gap opened: closed with 1006 .*reading what may be missing",
        r"session recovering: connected, catching up",
        r"Elif Nov\u00e1k: Could you send me a picture of .*replayed \d\.\d\d s",
        r"gap closed: 1 message was missing and is here now",
        r"session live: caught up",
    )
    assert text.count("Could you send me a picture of") == 1
    assert len(re.findall(r"replayed \d", text)) == 1
    assert re.search(r" (\d+) messages were written, \1 came: none missing, none twice", text)
    compared = re.search(r"Up to the cut this took (\d+) requests?, where a poll .* would have been (\d+);", text)
    assert compared
    assert int(compared[1]) < int(compared[2])
    assert re.search(r"to come back and close the gap took ([5-9]|1\d) requests", text)


def test_everything_is_kept_for_a_few_requests(demo: Demo) -> None:
    text = words(demo)
    assert_in_order(
        text,
        r"MessagePoller\(client, archive=…, since=2 days ago\) \d+ x GET 200",
        r"\d\d conversations with [\d,]+ messages, in a SQLite file",
        r"5 customers write, some of them in conversations that rested for weeks:",
        r"poller.run_once\(\) \d x GET 200",
        r"5 new messages, for \d requests",
        r"poller.run_once\(\) GET 200",
        r"0 new messages, for 1 request",
        r'archive.search\("lid"\) finds 6 messages, for no request:',
        r"Thank you, the \[lid\] is here!",
    )
    compared = re.search(
        r"these two looks took (\d+) requests\. To ask each of the (5\d\d) conversations at each look would have "
        r"taken ([\d,]+)\.",
        text,
    )
    assert compared
    assert 5 + 2 <= int(compared[1]) <= 5 * 2 + 3
    assert int(compared[3].replace(",", "")) == 2 * int(compared[2])


def test_without_an_archive_the_rest_is_shown(demos: Demos) -> None:
    bare = demos.bare
    assert (bare.code, bare.errors) == (0, "")
    assert "Left out here, as an archive needs sqlalchemy" in words(bare)
    assert 'pip install "ultracart-conversation[archive]"' in words(bare)
    assert "MessagePoller" not in bare.text
    assert "What it took" in bare.text


def test_nothing_is_left_behind(tmp_path: Path) -> None:
    with start("demo", env=environment(TMPDIR=str(tmp_path))) as piped:
        assert piped.stdout is not None
        assert any("poller.run_once" in line for line in piped.stdout)
        piped.send_signal(signal.SIGINT)
        piped.communicate(timeout=PATIENCE)
    assert list(tmp_path.iterdir()) == []


def words(demo: Demo) -> str:
    """All on one line, without what a spinner says and without the margin of what a session tells."""
    lines = [line for line in readable(demo.text).splitlines() if not re.match("[\u2800-\u28ff]", line)]
    return " ".join(re.sub(r"^ *[|\u2503]", "", "\n".join(lines), flags=re.MULTILINE).split())


def assert_in_order(text: str, *patterns: str) -> None:
    for pattern in patterns:
        found = re.search(pattern, text)
        assert found, (pattern, text)
        text = text[found.end() :]


def test_it_sums_up_honestly(demo: Demo) -> None:
    text = words(demo)
    summed = re.search(
        r"(\d+) requests and 2 websockets in (\d+\.\d) s, 13 of UltraCart's 13 conversation operations, no 429s", text
    )
    assert summed, text
    left = re.search(r"(\d+) of 500 may still go at once; never more than 1,000 in any hour", text)
    assert left
    assert 500 - int(left[1]) <= int(summed[1]) <= 120
    assert float(summed[2]) < PATIENCE


def test_a_pipe_gets_plain_lines(demos: Demos) -> None:
    assert "\x1b" not in demos.piped.text
    assert "\x1b" not in demos.dumb.text
    assert max(map(len, demos.piped.text.splitlines())) <= 80
    assert max(map(len, demos.dumb.text.splitlines())) <= 80


def test_a_terminal_gets_a_live_view_and_its_cursor_back(demos: Demos) -> None:
    text = demos.rich.text
    assert "\x1b[1;36m" in text
    assert "\u2580" in text
    assert text.index(HIDE_CURSOR) < text.rindex(SHOW_CURSOR)
    assert text.rindex(HIDE_CURSOR) < text.rindex(SHOW_CURSOR)


def test_ctrl_c_ends_it_at_once_and_gives_the_cursor_back() -> None:
    window = Terminal("demo", env=environment(), columns=100)
    with start("demo", env=environment()) as piped:
        assert piped.stdout is not None
        assert any("Chat with" in line for line in piped.stdout)
        window.read_until("What was said?")
        interrupted = time.monotonic()
        piped.send_signal(signal.SIGINT)
        window.process.send_signal(signal.SIGINT)
        assert piped.communicate(timeout=PATIENCE)[1] == "ultracart-conversation: interrupted\n"
        assert (piped.returncode, window.finish()) == (130, 130)
        # It takes a tenth of a second where nothing else runs, and the rest of the demo would take five.
        assert time.monotonic() - interrupted < 3
    assert "What it took" not in window.text
    assert window.text.endswith("ultracart-conversation: interrupted\r\n")
    assert window.text.rindex(HIDE_CURSOR) < window.text.rindex(SHOW_CURSOR)
