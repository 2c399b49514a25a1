"""`search` and `stats` as a user has them: an archive is asked without an account."""

import json
import os
import unicodedata
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from tests.live.command_line import Terminal, assert_one_line, environment, run
from tests.live.sync_command import lacking, stored, synchronised
from ultracart_conversation.sandbox import Sandbox

NAME = "\u6f22\u5b57 \x1b]0;pwned\x07\u202eZo\u00eb"
TEXT = "look:\x1b[2J\x9b31m\r\n\u2066a teapot \x7f\u202etxt.exe \U0001f375 \U000e0041"


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(customers=0, conversations=0) as running:
        running.text("Where is my teapot?")
        running.text(TEXT, name=NAME, phone="+15550100124")
        customer = running.text("Is the LID for sale?", phone="+15550100125")
        for number in range(60):
            customer.write(f"parcel {number}")
        yield running


@pytest.fixture(scope="module")
def archive(sandbox: Sandbox, tmp_path_factory: pytest.TempPathFactory) -> str:
    path = tmp_path_factory.mktemp("archive") / "conversations.db"
    synchronised(sandbox, path)
    return str(path)


def test_a_message_is_a_line_in_a_pipe(sandbox: Sandbox, archive: str) -> None:
    done = run("search", "--archive", archive, "lid", "SALE", env=environment())
    (uuid, written) = next((uuid, each) for uuid, each in _messages(sandbox) if "LID" in each["body"])
    when = datetime.fromisoformat(written["message_dts"]).astimezone()
    assert done.stdout == f"{uuid}  {when:%m-%d %H:%M}  Grace Holm: Is the [LID] for [sale]?\n"
    assert (done.returncode, done.stderr) == (0, "")


def test_a_phrase_and_a_beginning_are_found(archive: str) -> None:
    assert run("search", "--archive", archive, '"parcel 59"', env=environment()).stdout.endswith("[parcel 59]\n")
    assert run("search", "--archive", archive, '"59 parcel"', env=environment()).stdout == "no messages\n"
    assert "[teapot]" in run("search", "--archive", archive, "tea*", env=environment()).stdout


def test_it_says_where_its_default_stops(archive: str) -> None:
    done = run("search", "--archive", archive, "parcel", env=environment())
    assert len(done.stdout.splitlines()) == 50
    assert "parcel] 59" in done.stdout.splitlines()[0]
    assert done.stderr == "the newest 50; --max 0 shows all\n"
    everything = run("search", "--archive", archive, "parcel", "--max", "0", env=environment())
    assert (len(everything.stdout.splitlines()), everything.stderr) == (60, "")
    assert len(run("search", "--archive", archive, "parcel", "--max", "3", env=environment()).stdout.splitlines()) == 3


def test_none_that_are_older(archive: str) -> None:
    now = datetime.now().astimezone().isoformat()
    assert run("search", "--archive", archive, "parcel", "--since", now, env=environment()).stdout == "no messages\n"


def test_json_is_the_message_as_it_came(sandbox: Sandbox, archive: str) -> None:
    done = run("search", "--archive", archive, "--json", "lid", env=environment())
    (uuid, written) = next((uuid, each) for uuid, each in _messages(sandbox) if "LID" in each["body"])
    assert json.loads(done.stdout) == {
        "conversation_uuid": uuid,
        "excerpt": "Is the [LID] for sale?",
        "message": written,
    }


@pytest.mark.parametrize("format_", [(), ("--json",)], ids=["people", "json"])
def test_no_customer_reaches_the_terminal(archive: str, format_: tuple[str, ...]) -> None:
    done = run("search", "--archive", archive, "look", *format_, env=environment())
    assert {each for each in done.stdout if unicodedata.category(each) in {"Cc", "Cf", "Zl", "Zp"}} == {"\n"}
    assert done.stdout.count("\n") == 1
    assert "\u6f22\u5b57" in done.stdout


def test_lines_fit_the_terminal(archive: str) -> None:
    window = Terminal("search", "--archive", archive, "teapot", env=environment(), columns=60)
    assert window.finish() == 0
    assert "    Where is my [teapot]?\r\n" in window.text
    assert max(map(len, window.text.splitlines())) <= 60


@pytest.mark.parametrize("text", ['" OR 1', "NEAR(", "body:", "'; DROP TABLE messages; --", "\x1b[2J", "\U0001f375 a"])
def test_whatever_is_typed_can_be_searched_for(archive: str, text: str) -> None:
    done = run("search", "--archive", archive, "--", text, env=environment())
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("text", ["\U0001f375", "!!!", "*", "(((", '"', "\x1b[", ""])
def test_what_has_no_word_is_not_searched_for(archive: str, text: str) -> None:
    done = run("search", "--archive", archive, "--json", "--", text, env=environment())
    assert_one_line(done, "no letter and no digit", "give a word", code=2)
    assert "\x1b" not in done.stderr


@pytest.mark.parametrize("arguments", [("-x",), ("teapot", "-x"), ("-x", "teapot")], ids=" ".join)
def test_what_looks_like_an_option_goes_last(archive: str, arguments: tuple[str, ...]) -> None:
    done = run("search", *arguments, "--archive", archive, env=environment())
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.endswith(" (what begins with - and is no option goes after -- at the end)\n")
    assert run("search", "--archive", archive, "--", "-x", env=environment()).stdout == "no messages\n"


def test_stats_are_the_archive_in_numbers(sandbox: Sandbox, archive: str) -> None:
    shown = dict(
        line.split(maxsplit=1) for line in run("stats", "--archive", archive, env=environment()).stdout.splitlines()
    )
    assert shown["archive"] == archive
    assert shown["conversations"] == "3"
    assert shown["messages"] == str(len(stored(sandbox)))
    assert shown["size"].endswith(("kB", "MB"))
    told = json.loads(run("stats", "--archive", archive, "--json", env=environment()).stdout)
    assert (told["conversations"], told["messages"]) == (3, len(stored(sandbox)))
    assert (told["revisions"], told["removed"], told["gone"]) == (0, 0, 0)
    assert datetime.fromisoformat(told["oldest"]) <= datetime.fromisoformat(told["newest"])
    assert told["changes"] == 3 + len(stored(sandbox))


def test_stats_say_up_to_when_it_is_complete(sandbox: Sandbox, archive: str) -> None:
    told = json.loads(run("stats", "--archive", archive, "--json", env=environment()).stdout)
    newest = max(each["message_epoch"] for _, each in _messages(sandbox))
    assert datetime.fromisoformat(told["complete_through"]).timestamp() <= newest / 1000
    assert "\ncomplete          through " in run("stats", "--archive", archive, env=environment()).stdout


@pytest.mark.parametrize("command", [("search", "word"), ("stats",), ("export", "out.jsonl")], ids=lambda each: each[0])
def test_what_is_no_archive_is_one_line(command: tuple[str, ...], tmp_path: Path) -> None:
    missing, text = tmp_path / "missing.db", tmp_path / "notes.txt"
    text.write_text("do not touch " * 100)
    assert_one_line(
        run(*command, "--archive", str(missing), env=environment()), "there is no archive", "sync --archive"
    )
    assert not missing.exists()
    assert_one_line(run(*command, "--archive", str(text), env=environment()), "not a database")
    lacks = run(*command, "--archive", str(text), env=environment(), command=lacking("sqlalchemy"))
    assert_one_line(lacks, 'pip install "ultracart-conversation[archive]"')


@pytest.mark.parametrize("command", [("search", "word"), ("stats",), ("export", "out.jsonl")], ids=lambda each: each[0])
def test_what_can_be_no_archive_is_told_from_one_that_is_missing(command: tuple[str, ...], tmp_path: Path) -> None:
    file = tmp_path / "notes.txt"
    file.touch()
    impossible = {
        "": "an archive is a file",
        ":memory:": "an archive is a file",
        os.devnull: "not a plain file",
        str(tmp_path): "not a plain file",
        str(file / "a.db"): "cannot be opened: ",
        f"{tmp_path}/{'x' * 300}": f"{'x' * 100}… cannot be opened: ",
    }
    for path, words in impossible.items():
        done = run(*command, "--archive", path, env=environment())
        assert_one_line(done, words)
        assert "there is no archive" not in done.stderr


@pytest.mark.parametrize("arguments", [("search", "--archive", "x"), ("search", "word"), ("stats",), ("export", "out")])
def test_a_wrong_command_line_is_explained(arguments: tuple[str, ...]) -> None:
    done = run(*arguments, env=environment())
    assert (done.returncode, done.stdout) == (2, "")
    assert f"usage: ultracart-conversation {arguments[0]}" in done.stderr


def _messages(sandbox: Sandbox) -> list[tuple[str, dict[str, Any]]]:
    return [(uuid, each) for uuid in sandbox.conversation_uuids for each in sandbox.snapshot(uuid)["messages"]]
