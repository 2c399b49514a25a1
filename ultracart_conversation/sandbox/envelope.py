"""The shape of answers: success with metadata, and errors as UltraCart writes them."""

import json
from collections.abc import Mapping
from typing import Any, TypeAlias

from starlette.responses import Response

from .identity import MERCHANT_ID

Json: TypeAlias = dict[str, Any]


class Refusal(Exception):
    """A request that the service does not carry out, with the status and the text it gives."""

    def __init__(self, status: int, text: str, *, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(text)
        self.status = status
        self.text = text
        self.headers: dict[str, str] = dict(headers or {})


def missing(kind: str, verb: str) -> Refusal:
    """A missing object is a 400 with this sentence (documented by captured traffic of the order API)."""
    return Refusal(400, f"Server side object '{kind}' could not be {verb}. It does not exist.")


def envelope(payload_name: str, payload: object, *, metadata: Json | None = None) -> Json:
    return {"success": True, "metadata": metadata or {"payload_name": payload_name}, payload_name: payload}


def result_set(payload_name: str, *, count: int, offset: int, limit: int, total: int) -> Json:
    end = offset + count
    found: Json = {"count": count, "offset": offset, "limit": limit, "more": end < total, "total_records": total}
    if end < total:
        found["next_offset"] = end
    return {"payload_name": payload_name, "result_set": found}


def without_nulls(fields: Json) -> Json:
    return {name: value for name, value in fields.items() if value is not None}


def encode(content: object) -> bytes:
    return json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode()


def answer(content: Json | None) -> Response:
    """200 with a JSON body, or 204 with a length of zero for an operation that returns nothing."""
    if content is None:
        return Response(status_code=204, headers={"Content-Length": "0"})
    return Response(encode(content), media_type="application/json; charset=UTF-8")


def refuse(refusal: Refusal) -> Response:
    response = Response(encode(error_body(refusal.text)), refusal.status, media_type="application/json; charset=UTF-8")
    response.headers["UC-REST-ERROR"] = refusal.text.encode("ascii", "replace").decode()
    response.headers["Connection"] = "close"
    if refusal.status == 429:
        response.headers["UC-REST-ERROR-MERCHANT-ID"] = MERCHANT_ID
    response.headers.update(refusal.headers)
    return response


def error_body(text: str) -> Json:
    return {"error": {"developer_message": text, "user_message": text}, "metadata": {}}
