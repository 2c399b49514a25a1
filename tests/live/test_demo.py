"""The demo as a newcomer sees it, in a pipe and in a terminal."""

import re
import signal
import time
from dataclasses import dataclass

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


@pytest.fixture(scope="module")
def demos() -> Demos:
    """All of them at the same time, as a demo mostly waits."""
    started = time.monotonic()
    piped = start("demo", env=environment())
    rich = Terminal("demo", env=environment(COLORTERM="truecolor"), columns=80)
    dumb = Terminal("demo", env=environment(), columns=80, kind="dumb")
    output, errors = piped.communicate(timeout=PATIENCE)
    seconds = time.monotonic() - started
    return Demos(
        Demo(output, errors, piped.returncode, seconds),
        *(Demo(each.text, "", code, seconds) for each, code in [(rich, rich.finish()), (dumb, dumb.finish())]),
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
    assert demo.seconds < 20
    assert "Traceback" not in demo.text


def test_it_shows_what_was_called_and_what_it_cost(demo: Demo) -> None:
    text = readable(demo.text)
    for call in (
        "get_agent_websocket_authorization() PUT 200",
        "get_conversation_webchat_queue_statuses() GET 200",
        "iter_conversations() 4 x GET 200",
        "join_conversation(uuid) PUT 204",
        "mark_read_conversation(uuid) PUT 204",
        'uploads.put(png, extension="png") GET 200, PUT 200',
        "start_conversation(queue entry) PUT 200",
        "get_conversation(uuid, limit=10) GET 503, 200",
        "start_conversation(queue entry) PUT lost",
        "leave_conversation(uuid) DELETE 204",
    ):
        name, sent = call.split(") ")
        assert re.search(rf"{re.escape(name)}\) +{re.escape(sent)} +\d+\.\d ms", text), (call, text)


def test_it_follows_the_customer_as_they_write(demo: Demo) -> None:
    text = readable(demo.text)
    assert re.search(r"\d\d:\d\d:\d\d +.*: Hello, my teapot", text)
    assert re.search(r"(\d+) polls cost \1 requests", text)


def test_it_sums_up_honestly(demo: Demo) -> None:
    text = " ".join(readable(demo.text).split())
    summed = re.search(r"(\d+) requests in (\d+\.\d) s, 13 of UltraCart's 13 conversation operations, no 429s", text)
    assert summed, text
    left = re.search(r"(\d+) of 500 may still go at once; never more than 1,000 in any hour", text)
    assert left
    assert 500 - int(left[1]) <= int(summed[1]) <= 60
    assert float(summed[2]) < 20


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
        assert any("Follow" in line for line in piped.stdout)
        window.read_until("Who waits?")
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
