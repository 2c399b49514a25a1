"""Where a process ends itself: at a statement of its own, counted from outside of the code that executes it."""

import os
import resource
import signal
import threading
import time
from collections import Counter
from collections.abc import Callable, Coroutine
from contextvars import ContextVar
from functools import wraps
from pathlib import Path
from typing import Any, Literal

import aiosqlite
import attrs
from sqlalchemy import event
from sqlalchemy.engine import Engine

from ultracart_conversation.archive import Archive
from ultracart_conversation.changes import Batch, PollerCheckpoint

Work = Coroutine[Any, Any, Any]
Part = Literal["opening", "claim", "rows", "messages", "elsewhere", "all"]
"""What an archive is doing: "rows" and "messages" are commits without and with messages; "all" is any of these."""


@attrs.frozen(kw_only=True)
class Mark:
    """The place of one statement, COMMIT among them, and what happens there."""

    part: Part
    statement: int
    """Counted from 1 in this turn of the part, and for "all" in the whole process."""
    turn: int = 1
    edge: Literal["before", "during", "after"] = "before"
    delay: float = 0.0
    """Seconds from there."""
    signal: int = signal.SIGKILL
    room: int | None = None
    """Instead of a signal: bytes that may yet be added to the log; whoever writes more is ended by a SIGXFSZ."""


@attrs.define
class _Place:
    part: Part
    turn: int
    statement: int = 0


_place: ContextVar[_Place] = ContextVar("place")


class Trace:
    """Counts statements, notes them in a file where that is asked for, and strikes at a mark."""

    def __init__(self, mark: Mark | None, *, notes: Path | None, log: Path) -> None:
        self._mark = mark
        self._log = log
        self._notes = None if notes is None else os.open(notes, os.O_CREAT | os.O_WRONLY | os.O_APPEND, 0o600)
        self._turns: Counter[Part] = Counter()
        self._elsewhere = _Place("elsewhere", 1)
        self._all = _Place("all", 1)
        self._stroke: threading.Thread | None = None

    def install(self) -> None:
        """From now on, in this process."""
        for name, part_of in _PARTS.items():
            setattr(Archive, name, self._counted(getattr(Archive, name), part_of))
        event.listen(Engine, "before_cursor_execute", self._before_statement)
        event.listen(Engine, "after_cursor_execute", self._after_statement)
        # A transaction is committed by no statement of SQLAlchemy's.
        setattr(aiosqlite.Connection, "commit", self._noticed(aiosqlite.Connection.commit))  # noqa: B010

    def finish(self) -> None:
        """Nobody outlives a mark that was reached."""
        if self._stroke is not None:
            self._stroke.join()

    def _counted(self, work: Callable[..., Work], part_of: Callable[..., Part]) -> Callable[..., Work]:
        @wraps(work)
        async def counted(archive: Archive, *arguments: Any, **more: Any) -> Any:
            part = part_of(*arguments)
            self._turns[part] += 1
            token = _place.set(_Place(part, self._turns[part]))
            try:
                return await work(archive, *arguments, **more)
            finally:
                _place.reset(token)

        return counted

    def _noticed(self, commit: Callable[[aiosqlite.Connection], Work]) -> Callable[[aiosqlite.Connection], Work]:
        @wraps(commit)
        async def noticed(connection: aiosqlite.Connection) -> None:
            self._before("COMMIT")
            await commit(connection)
            self._after()

        return noticed

    def _before_statement(self, *arguments: Any) -> None:
        self._before(arguments[2])

    def _after_statement(self, *arguments: Any) -> None:
        self._after()

    def _before(self, statement: str) -> None:
        place = _place.get(self._elsewhere)
        place.statement += 1
        self._all.statement += 1
        if self._notes is not None:
            words = " ".join(statement.split()[:6])
            os.write(self._notes, f"{place.part}\t{place.turn}\t{place.statement}\t{words}\n".encode())
        if self._is_at("before", place):
            self._strike()
        if self._is_at("during", place):
            self._stroke = threading.Thread(target=self._strike, daemon=True)
            self._stroke.start()

    def _after(self) -> None:
        if self._mark is not None and self._mark.room is not None:
            _limit_files(None)
        if self._is_at("after", _place.get(self._elsewhere)):
            self._strike()

    def _is_at(self, edge: str, place: _Place) -> bool:
        mark = self._mark
        if mark is None or mark.edge != edge:
            return False
        here = self._all if mark.part == "all" else place
        return (here.part, here.turn, here.statement) == (mark.part, mark.turn, mark.statement)

    def _strike(self) -> None:
        if self._mark is None:
            return
        if self._mark.room is not None:
            _limit_files(self._mark.room + (self._log.stat().st_size if self._log.exists() else 0))
        else:
            time.sleep(self._mark.delay)
            os.kill(os.getpid(), self._mark.signal)


def _limit_files(size: int | None) -> None:
    """Whoever makes a file larger, or writes beyond that many bytes, ends at once and leaves no core; None for all."""
    hardest = resource.getrlimit(resource.RLIMIT_FSIZE)[1]
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    signal.signal(signal.SIGXFSZ, signal.SIG_DFL)
    resource.setrlimit(resource.RLIMIT_FSIZE, (hardest if size is None else size, hardest))


def _part_of(batch: Batch, _: PollerCheckpoint) -> Part:
    return "messages" if any(each.new or each.updated or each.removed for each in batch.changes) else "rows"


_PARTS: dict[str, Callable[..., Part]] = {
    "__aenter__": lambda: "opening",
    "claim": lambda: "claim",
    "commit": _part_of,
}
