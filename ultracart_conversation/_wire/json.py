"""JSON texts in and out; `orjson` does the work where it is installed (extra `speed`)."""

import json
from collections.abc import Callable
from typing import Any

loads: Callable[[bytes], Any]
dumps: Callable[[Any], bytes]

try:
    import orjson
except ImportError:

    def _refuse(constant: str) -> None:
        raise ValueError(f"{constant} is not JSON")

    def _loads(text: bytes) -> Any:
        return json.loads(text, parse_constant=_refuse)

    def _dumps(value: Any) -> bytes:
        return json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode()

    loads, dumps = _loads, _dumps
else:
    loads, dumps = orjson.loads, orjson.dumps
