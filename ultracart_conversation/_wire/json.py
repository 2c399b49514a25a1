"""JSON texts in and out; `orjson` does the work where it is installed (extra `speed`).

A text that was cut between the two halves of a character, as UTF-16 writes those beyond U+FFFF, has a replacement
character there: what is read can always be written.
"""

import json
import re
from collections.abc import Callable
from math import isinf
from typing import Any, cast

loads: Callable[[bytes], Any]
dumps: Callable[[Any], bytes]

_Json = dict[str, "_Json"] | list["_Json"] | str | float | None
_HALF = re.compile(rb"\\u[dD][89a-fA-F]")


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is not JSON")


def _number(digits: str) -> float:
    value = float(digits)
    if isinf(value):
        raise ValueError("a number is too large")
    return value


def _loads(text: bytes) -> Any:
    value = json.loads(text, parse_constant=_refuse, parse_float=_number)
    return _mended(value) if _HALF.search(text) else value


def _mended(value: _Json) -> _Json:
    """The value with a replacement character for each half of one that stands alone."""
    if isinstance(value, str):
        return _whole(value)
    if isinstance(value, list):
        return [_mended(each) for each in value]
    if isinstance(value, dict):
        return {_whole(name): _mended(each) for name, each in value.items()}
    return value


def _whole(text: str) -> str:
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def _dumps(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode()


try:
    import orjson
except ImportError:
    loads, dumps = _loads, _dumps
else:
    quick = orjson.loads

    def _quick_loads(text: bytes) -> Any:
        try:
            return quick(text)
        except ValueError:
            if _HALF.search(text):
                return _loads(text)
            raise

    loads, dumps = _quick_loads, orjson.dumps


def json_object(text: str | bytes) -> dict[str, Any] | None:
    """The JSON object that `text` is; None when it is anything else."""
    try:
        document = loads(text.encode() if isinstance(text, str) else text)
    except (ValueError, RecursionError):
        return None
    return cast("dict[str, Any]", document) if isinstance(document, dict) else None
