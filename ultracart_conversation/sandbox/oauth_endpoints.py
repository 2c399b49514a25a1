"""The OAuth server over HTTP: token requests, and the two pages on which a user decides."""

from collections.abc import Mapping
from html import escape
from urllib.parse import parse_qsl, urlencode, urlsplit

from starlette.responses import HTMLResponse, Response

from .envelope import encode
from .exchange import Received
from .oauth import OAuthFailure, OAuthServer

OPERATIONS = frozenset(
    {
        "oauth_access_token",
        "oauth_device_authorize",
        "oauth_revoke",
        "oauth_authorize_page",
        "oauth_authorize",
        "oauth_device_page",
        "oauth_device",
    }
)
DEVICE_PAGE = "/oauth/device"


class OAuthEndpoints:
    """Answers what needs no authorization, as it is where one comes from."""

    def __init__(self, server: OAuthServer) -> None:
        self._server = server

    def answer(self, received: Received, *, root: str) -> Response:
        """`root` is the base URL of all operations."""
        form = dict(parse_qsl(received.body.decode(errors="replace")))
        match received.operation:
            case "oauth_authorize_page":
                return self._authorize_page(received.query)
            case "oauth_authorize":
                return self._authorize(form)
            case "oauth_device_page":
                return _page("Log in a device", _device_form(received.query.get("user_code", "")))
            case "oauth_device":
                return self._device(form)
            case operation:
                return self._machine(operation, form, root)

    def _machine(self, operation: str, form: Mapping[str, str], root: str) -> Response:
        try:
            if operation == "oauth_access_token":
                content = self._server.token(form)
            elif operation == "oauth_device_authorize":
                content = self._server.device(form, page=f"{root}{DEVICE_PAGE}")
            else:
                content = self._server.revoke(form)
        except OAuthFailure as failure:
            content = {"error": failure.code, "error_description": failure.description}
            return _json(content, self._server.error_status)
        return _json(content, 200)

    def _authorize_page(self, query: Mapping[str, str]) -> Response:
        wanted = {name: query.get(name, "") for name in ("client_id", "redirect_uri", "state")}
        if query.get("response_type") != "code" or not _is_redirect_uri(wanted["redirect_uri"]):
            return _page("This address is not valid", "<p>It needs response_type=code and a redirect_uri.</p>", 400)
        hidden = "".join(
            f'<input type="hidden" name="{name}" value="{escape(value)}">' for name, value in wanted.items()
        )
        asked = f"<p>May <b>{escape(wanted['client_id'])}</b> act for you?</p>"
        return _page("Allow an application", f'{asked}<form method="post" action="authorize">{hidden}{_BUTTONS}</form>')

    def _authorize(self, form: Mapping[str, str]) -> Response:
        redirect_uri, brought = form.get("redirect_uri", ""), {"state": form.get("state", "")}
        if not _is_redirect_uri(redirect_uri):
            return _page("This address is not valid", "<p>It needs a redirect_uri.</p>", 400)
        if form.get("decision") == "approve":
            brought["code"] = self._server.code(form.get("client_id", ""), redirect_uri)
        else:
            brought["error"] = "access_denied"
        mark = "&" if urlsplit(redirect_uri).query else "?"
        return Response(status_code=303, headers={"Location": f"{redirect_uri}{mark}{urlencode(brought)}"})

    def _device(self, form: Mapping[str, str]) -> Response:
        user_code = form.get("user_code", "")
        decide = self._server.approve if form.get("decision") == "approve" else self._server.deny
        try:
            decide(user_code)
        except KeyError:
            return _page("No device waits for this code", _device_form(user_code), 400)
        return _page("Done", "<p>You can close this page and go back to your device.</p>")


_BUTTONS = '<button name="decision" value="approve">Approve</button> <button name="decision" value="deny">Deny</button>'


def _device_form(user_code: str) -> str:
    entry = f'<input name="user_code" value="{escape(user_code)}" placeholder="ABCD-EFGH" autofocus>'
    return f'<form method="post" action="device"><p>The code on your device: {entry}</p>{_BUTTONS}</form>'


def _page(title: str, content: str, status: int = 200) -> Response:
    head = f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{escape(title)}</title></head>'
    return HTMLResponse(f"{head}<body><h1>{escape(title)}</h1>{content}</body></html>", status)


def _json(content: object, status: int) -> Response:
    return Response(
        encode(content), status, {"Cache-Control": "no-store"}, media_type="application/json; charset=UTF-8"
    )


def _is_redirect_uri(address: str) -> bool:
    parts = urlsplit(address)
    return parts.scheme in {"http", "https"} and bool(parts.netloc) and not parts.fragment and address.isprintable()
