"""`kill -9` at every statement: what belongs together is kept as a whole or not at all."""

from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random
from signal import SIGKILL, SIGXFSZ

import pytest

from tests.live.kills.marks import Mark, Part
from tests.live.kills.moments import seconds
from tests.live.kills.plan import MARKED
from tests.live.kills.verdict import Tables, assert_complete, assert_consistent, tables
from tests.live.kills.victims import ForkServer
from ultracart_conversation.sandbox import Sandbox

_SHORTEST, _LONGEST = 0.00002, 0.002
"""Seconds from the beginning of a statement, within which most are executed."""
_STEP = 5_300
"""Bytes; a page takes 4,120 in the log, so that they end between two pages as well as within one."""
SHARED = {"outbox", "positions"}
"""Tables that every commit changes."""
PARTS: tuple[Part, ...] = ("opening", "claim")
Change = Callable[[], None]
COMMITS = pytest.mark.parametrize(
    ("part", "turn", "together"),
    [
        ("rows", 2, {"conversations", "participants", "outbox", "positions"}),
        ("messages", 1, {"messages", "revisions", "outbox", "positions"}),
    ],
    ids=["rows", "messages"],
)
"""A commit, and the tables that it changes together."""


@pytest.fixture
def conversations() -> int:
    return 2


def places(server: ForkServer, sandbox: Sandbox, archive: Path) -> Iterator[Mark]:
    """Every statement by which a new archive is made and claimed, but for looks at what is there."""
    scout = server.sync(sandbox, archive, "--once", notes=True)
    assert scout.ended() == 0, scout.errors
    notes = [line.split("\t") for line in scout.notes.splitlines() if ".table_info" not in line]
    for part in PARTS:
        for number, words in ((int(number), words) for noted, _, number, words in notes if noted == part):
            yield Mark(part=part, statement=number)
            if words == "COMMIT":
                yield Mark(part=part, statement=number, edge="after")


def test_while_an_archive_is_made(server: ForkServer, sandbox: Sandbox, tmp_path: Path) -> None:
    marks = list(places(server, sandbox, tmp_path / "scout.db"))
    for number, mark in enumerate(marks):
        archive = tmp_path / f"{number}.db"
        assert server.sync(sandbox, archive, "--once", mark=mark).ended() == -SIGKILL
        assert_consistent(archive)
        server.finish(sandbox, archive)
        assert_complete(archive, sandbox)
    assert len(marks) >= MARKED["making"]


def test_while_an_archive_is_claimed(server: ForkServer, sandbox: Sandbox, archive: Path) -> None:
    server.finish(sandbox, archive)
    before = tables(archive)
    statements = enumerated(server, sandbox, archive, part="claim", unlike=lambda: tables(archive) != before)
    assert tables(archive)["claims"] != before["claims"]
    last = tables(archive)["claims"]
    mark = Mark(part="claim", statement=statements, edge="after")
    assert server.sync(sandbox, archive, "--once", mark=mark).ended() == -SIGKILL
    assert tables(archive)["claims"] != last
    server.finish(sandbox, archive)
    assert_complete(archive, sandbox)
    assert statements + 1 >= MARKED["claim"]


def enumerated(
    server: ForkServer, sandbox: Sandbox, archive: Path, *, part: Part, turn: int = 1, unlike: Callable[[], bool]
) -> int:
    """Kill before each statement of a part, which must leave nothing behind; how many there are, and none is left."""
    statement = 1
    while True:
        mark = Mark(part=part, turn=turn, statement=statement)
        code = server.sync(sandbox, archive, "--once", mark=mark).ended()
        if code == 0:
            return statement - 1
        assert code == -SIGKILL
        assert not unlike(), mark
        assert_consistent(archive)
        statement += 1


def kept_of(archive: Path) -> Tables:
    return tables(archive, but=("claims", "budget", "cursors"))


@pytest.fixture
def change(sandbox: Sandbox) -> Change:
    """Makes the next commit with messages one of all kinds of statements, if all before it was read."""
    uuid = sandbox.conversation_uuids[0]
    said = [sandbox.customer(uuid).write("The pot"), sandbox.customer(uuid).write("The lid")]

    def happen() -> None:
        sandbox.records.edit_message(uuid, said[-2], f"The pot, after {len(said)}")
        sandbox.records.remove_message(uuid, said[-1])
        said.append(sandbox.customer(uuid).write("The spout"))
        said.append(sandbox.customer(uuid).write("The lid again"))

    return happen


@COMMITS
def test_at_a_statement_of_a_commit(
    server: ForkServer, sandbox: Sandbox, archive: Path, change: Change, part: Part, turn: int, together: set[str]
) -> None:
    server.finish(sandbox, archive)
    change()
    # What comes before the commit is done by the first of them.
    assert server.sync(sandbox, archive, "--once", mark=Mark(part=part, turn=turn, statement=1)).ended() == -SIGKILL
    before = kept_of(archive)
    statements = enumerated(server, sandbox, archive, part=part, turn=turn, unlike=lambda: kept_of(archive) != before)
    assert_complete(archive, sandbox)

    change()
    assert server.sync(sandbox, archive, "--once", mark=Mark(part=part, turn=turn, statement=1)).ended() == -SIGKILL
    before = kept_of(archive)
    mark = Mark(part=part, turn=turn, statement=statements, edge="after")
    assert server.sync(sandbox, archive, "--once", mark=mark).ended() == -SIGKILL
    assert together <= changed(before, kept_of(archive))
    server.finish(sandbox, archive)
    assert_complete(archive, sandbox)
    assert statements + 2 >= MARKED[part]


@COMMITS
def test_in_the_middle_of_a_statement(
    server: ForkServer, sandbox: Sandbox, archive: Path, change: Change, part: Part, turn: int, together: set[str]
) -> None:
    statements = statements_of(server, sandbox, archive, change, part=part, turn=turn)
    own, chance = together - SHARED, Random(part)
    for statement in range(1, statements + 1):
        before = kept_of(archive)
        change()
        delay = seconds(chance, _SHORTEST, _LONGEST)
        mark = Mark(part=part, turn=turn, statement=statement, edge="during", delay=delay)
        assert server.sync(sandbox, archive, "--once", mark=mark).ended() == -SIGKILL
        assert_consistent(archive)
        assert changed(before, kept_of(archive)) & own in (set(), own), mark
        server.finish(sandbox, archive)
        assert_complete(archive, sandbox)
    assert statements >= MARKED[f"within {part}"]


def statements_of(server: ForkServer, sandbox: Sandbox, archive: Path, change: Change, *, part: Part, turn: int) -> int:
    """How many there are after a change, to the COMMIT; all is read then."""
    server.finish(sandbox, archive)
    change()
    scout = server.sync(sandbox, archive, "--once", notes=True)
    assert scout.ended() == 0, scout.errors
    return scout.notes.count(f"\n{part}\t{turn}\t")


@COMMITS
def test_in_the_middle_of_what_a_commit_writes(
    server: ForkServer, sandbox: Sandbox, archive: Path, change: Change, part: Part, turn: int, together: set[str]
) -> None:
    """Whoever writes a byte too many is ended by the system there and then, as by a signal 9."""
    last = statements_of(server, sandbox, archive, change, part=part, turn=turn)
    ends: list[int] = []
    while 0 not in ends:
        before = kept_of(archive)
        change()
        mark = Mark(part=part, turn=turn, statement=last, room=len(ends) * _STEP)
        ends.append(server.sync(sandbox, archive, "--once", mark=mark).ended())
        assert_consistent(archive)
        assert bool(changed(before, kept_of(archive)) & (together - SHARED)) == (ends[-1] == 0)
        server.finish(sandbox, archive)
        assert_complete(archive, sandbox)
    assert set(ends[:-1]) == {-SIGXFSZ}
    assert len(ends) > 3


def test_beside_the_commits(server: ForkServer, sandbox: Sandbox, archive: Path, change: Change) -> None:
    server.finish(sandbox, archive)
    change()
    statements = enumerated(server, sandbox, archive, part="elsewhere", unlike=lambda: False)
    assert_complete(archive, sandbox)
    assert statements >= MARKED["elsewhere"]


def changed(before: Tables, after: Tables) -> set[str]:
    return {name for name in after if after[name] != before[name]}
