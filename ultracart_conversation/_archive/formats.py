"""How rows of an export are written: JSON lines, CSV and Parquet."""

import csv
import io
import re
from collections.abc import Callable, Generator, Sequence
from contextlib import AbstractContextManager, contextmanager
from datetime import datetime
from importlib.util import find_spec
from typing import IO, Any

from ultracart_conversation._wire.json import dumps
from ultracart_conversation.errors import ConfigurationError

Row = dict[str, Any]
"""Of `COLUMNS`, and `raw`, which is the message in JSON."""
Write = Callable[[Sequence[Row]], object]
Format = Callable[[IO[bytes]], AbstractContextManager[Write]]
"""Opens a file for rows; leaving the context writes what such a file ends with."""

_OF_CONVERSATION = ("conversation_uuid", "conversation_arn", "medium", "merchant_id", "closed", "start_dts")
_BESIDE = (*_OF_CONVERSATION, "removed")
COLUMNS = (
    *_OF_CONVERSATION,
    "conversation_message_uuid",
    "message_dts",
    "type",
    "author_arn",
    "author_name",
    "body",
    "language_iso_code",
    "client_message_id",
    "removed",
)
_DATES = frozenset({"start_dts", "message_dts"})
# What spreadsheets take for a formula, or would after their own trimming; those already guarded are guarded again.
_FORMULA = re.compile(r"'*[=+\-@\t\r\n\uff1d\uff0b\uff0d\uff20]")


def format_of(name: str) -> Format:
    """Raises `ConfigurationError` for an unknown name, and where the package that it needs is not installed."""
    if name == "parquet":
        _need_pyarrow()
    try:
        return _FORMATS[name]
    except KeyError:
        known = ", ".join(f'"{known}"' for known in _FORMATS)
        raise ConfigurationError(f"format={name!r} is none that an archive can be exported to: use {known}") from None


def _need_pyarrow() -> None:
    if find_spec("pyarrow") is None:
        raise ConfigurationError(
            'format="parquet" needs pyarrow: pip install "ultracart-conversation[parquet]", or use "jsonl" or "csv"'
        )


@contextmanager
def _jsonl(file: IO[bytes]) -> Generator[Write]:
    yield lambda rows: file.write(b"".join(map(_json_line, rows)))


def _json_line(row: Row) -> bytes:
    """The message is put in as it was kept, so that nothing that the service said is lost."""
    beside = dumps({name: row[name] if name not in _DATES else _iso(row[name]) for name in _BESIDE})
    message: str = row["raw"]
    return beside[:-1] + b',"message":' + message.encode() + b"}\n"


@contextmanager
def _csv(file: IO[bytes]) -> Generator[Write]:
    text = io.TextIOWrapper(file, encoding="utf-8-sig", newline="")
    writer = csv.writer(text)
    writer.writerow(COLUMNS)
    try:
        yield lambda rows: writer.writerows(map(_csv_line, rows))
    finally:
        text.detach()


def _csv_line(row: Row) -> list[str]:
    return [_cell(row[name]) for name in COLUMNS]


def _cell(value: str | bool | datetime | None) -> str:
    if isinstance(value, str):
        return f"'{value}" if _FORMULA.match(value) else value
    if isinstance(value, bool):
        return "true" if value else "false"
    return _iso(value) or ""


@contextmanager
def _parquet(file: IO[bytes]) -> Generator[Write]:
    import pyarrow as pa  # noqa: PLC0415
    import pyarrow.parquet as pq  # noqa: PLC0415

    dates = dict.fromkeys(_DATES, pa.timestamp("ms", tz="UTC"))
    types = dict.fromkeys(COLUMNS, pa.string()) | dates
    schema = pa.schema(types | {"closed": pa.bool_(), "removed": pa.bool_()})
    writer = pq.ParquetWriter(file, schema, compression="zstd")
    try:
        yield lambda rows: writer.write_table(pa.Table.from_pylist([*rows], schema=schema))
        writer.close()
    finally:
        # Otherwise a file that could not be finished is finished again when the garbage collector comes.
        writer.is_open = False


def _iso(time: datetime | None) -> str | None:
    return None if time is None else time.isoformat(timespec="milliseconds").replace("+00:00", "Z")


_FORMATS: dict[str, Format] = {"jsonl": _jsonl, "csv": _csv, "parquet": _parquet}
