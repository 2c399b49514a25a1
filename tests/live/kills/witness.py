"""Who wrote what into an archive, as the archive itself knows it: noted in the transaction that writes."""

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

from sqlalchemy import event
from sqlalchemy.pool import Pool

PATIENCE = 120.0
"""Seconds to wait for others."""
_TABLES = """
CREATE TABLE claimants (epoch INTEGER PRIMARY KEY, process INTEGER NOT NULL);
CREATE TABLE writers (what TEXT NOT NULL, process INTEGER NOT NULL, epoch INTEGER NOT NULL);
"""
_TRIGGERS = """
CREATE TEMP TRIGGER note_claim AFTER UPDATE OF epoch ON claims WHEN new.epoch IS NOT old.epoch BEGIN
  INSERT INTO claimants VALUES (new.epoch, {process});
END;

CREATE TEMP TRIGGER note_change AFTER INSERT ON outbox BEGIN
  INSERT INTO writers SELECT 'change ' || new.seq, {process}, epoch FROM claims;
END;

CREATE TEMP TRIGGER note_move AFTER UPDATE ON cursors WHEN new.name = 'poller' BEGIN
  INSERT INTO writers SELECT 'checkpoint', {process}, epoch FROM claims;
END;

CREATE TEMP TRIGGER note_message AFTER INSERT ON messages BEGIN
  INSERT INTO writers SELECT 'message ' || new.id, {process}, epoch FROM claims;
END;
"""


def prepare(archive: Path) -> None:
    """Let an archive that has its tables know who writes to it from now on."""
    with closing(sqlite3.connect(archive, timeout=PATIENCE)) as database:
        database.executescript(_TABLES)


def testify(process: int) -> None:
    """Have every connection of this process note its number with all that it writes to a prepared archive.

    The triggers are the connection's own, so that no other process can take its name.
    """

    def connected(connection: Any, record: Any) -> None:
        del record
        cursor = connection.cursor()
        cursor.execute("SELECT count(*) FROM sqlite_master WHERE name = 'writers'")
        if cursor.fetchone() == (1,):
            for trigger in _TRIGGERS.format(process=process).strip().split("\n\n"):
                cursor.execute(trigger)
        cursor.close()

    event.listen(Pool, "connect", connected)


def fenced_writes(archive: Path) -> list[tuple[Any, ...]]:
    """What was written by a process while the latest claim was another's."""
    with closing(sqlite3.connect(archive, timeout=PATIENCE)) as database:
        return database.execute(
            "SELECT what, writers.process, claimants.process FROM writers LEFT JOIN claimants USING (epoch) "
            "WHERE writers.process IS NOT claimants.process"
        ).fetchall()


def writers(archive: Path) -> set[int]:
    """The processes that wrote anything."""
    with closing(sqlite3.connect(archive, timeout=PATIENCE)) as database:
        return {process for (process,) in database.execute("SELECT DISTINCT process FROM writers")}
