"""What may be told of an answer that is no websocket."""

from urllib.parse import quote, quote_plus

from ultracart_conversation._live.outcome import Denied
from ultracart_conversation._rest.outcome import Reply
from ultracart_conversation._rest.verdict import retry_after
from ultracart_conversation._wire.json import json_object

_SHOWN = 200


def denied(reply: Reply, *, reason: str, secret: str) -> Denied:
    """The status, and one short line of what the body or else the status line says."""
    said = _said(reply) or reason
    return Denied(reply.status_code, one_line(said, secret=secret), retry_after(reply))


def one_line(text: str, *, secret: str) -> str:
    """The start of `text`, which a server wrote and which may repeat the secret that it was sent."""
    for form in {secret, quote(secret, safe=""), quote_plus(secret)} - {""}:
        text = text.replace(form, "***")
    line = " ".join("".join(each if each.isprintable() else " " for each in text).split())
    return line if len(line) <= _SHOWN else line[: _SHOWN - 1] + "…"


def _said(reply: Reply) -> str:
    """The message of AWS API Gateway's JSON (documented there), or a body of plain text."""
    document = json_object(reply.body)
    if document is None:
        is_text = reply.headers.get("Content-Type", "").startswith("text/plain")
        return reply.body.decode(errors="replace") if is_text else ""
    message = document.get("message")
    return message if isinstance(message, str) else ""
