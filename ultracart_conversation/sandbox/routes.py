"""The operations by method and path, matched on the raw path so that an encoded `/` stays inside its segment."""

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import unquote

ROOT = "/rest/v2"


@dataclass(frozen=True, slots=True)
class Route:
    """One operation; a segment in braces is a parameter."""

    operation: str
    method: str
    segments: tuple[str, ...]

    def match(self, segments: tuple[str, ...]) -> dict[str, str] | None:
        """The decoded parameters when the path is this operation's, else None."""
        if len(segments) != len(self.segments):
            return None
        found: dict[str, str] = {}
        for expected, raw in zip(self.segments, segments, strict=True):
            if expected.startswith("{"):
                found[expected[1:-1]] = unquote(raw)
            elif expected != raw:
                return None
        return found


@dataclass(frozen=True, slots=True)
class Match:
    """What a request asks for; `operation` is "unknown" when no operation has this path and method."""

    operation: str
    arguments: Mapping[str, str]
    allowed: tuple[str, ...] = ()


def _route(operation: str, method: str, path: str) -> Route:
    return Route(operation, method, tuple(path.split("/")[1:]))


_CONVERSATIONS = f"{ROOT}/conversation/conversations"
_ONE = f"{_CONVERSATIONS}/{{conversation_uuid}}"

ROUTES: tuple[Route, ...] = (
    _route("get_agent_keep_alive", "GET", f"{ROOT}/conversation/agent/keepalive"),
    _route("get_agent_websocket_authorization", "PUT", f"{ROOT}/conversation/agent/auth"),
    _route("get_conversations", "GET", _CONVERSATIONS),
    _route("start_conversation", "PUT", _CONVERSATIONS),
    _route("get_conversation_webchat_queue_statuses", "GET", f"{_CONVERSATIONS}/queues/statuses"),
    _route("update_conversation_webchat_queue_status", "PUT", f"{_CONVERSATIONS}/queues/{{queue_name}}/status"),
    _route("get_conversation", "GET", _ONE),
    _route("get_conversation_context", "PUT", f"{_ONE}/context"),
    _route("get_conversation_messages", "GET", f"{_ONE}/messages/{{since}}"),
    _route("join_conversation", "PUT", f"{_ONE}/join"),
    _route("leave_conversation", "DELETE", f"{_ONE}/leave"),
    _route("mark_read_conversation", "PUT", f"{_ONE}/markread"),
    _route("get_conversation_multimedia_upload_url", "GET", f"{ROOT}/conversation/upload_url/{{extension}}"),
    _route("oauth_access_token", "POST", f"{ROOT}/oauth/token"),
    _route("oauth_revoke", "POST", f"{ROOT}/oauth/revoke"),
    _route("oauth_authorize_page", "GET", f"{ROOT}/oauth/authorize"),
    _route("oauth_authorize", "POST", f"{ROOT}/oauth/authorize"),
    _route("oauth_device_authorize", "POST", f"{ROOT}/oauth/device/authorize"),
    _route("oauth_device_page", "GET", f"{ROOT}/oauth/device"),
    _route("oauth_device", "POST", f"{ROOT}/oauth/device"),
    _route("put_upload", "PUT", "/uploads/{key}"),
    _route("get_media", "GET", "/media/{key}"),
)


def find(method: str, raw_path: bytes) -> Match:
    segments = tuple(raw_path.decode("latin-1").split("/")[1:])
    allowed: list[str] = []
    for route in ROUTES:
        arguments = route.match(segments)
        if arguments is None:
            continue
        if route.method == method:
            return Match(route.operation, arguments)
        allowed.append(route.method)
    return Match("unknown", {}, tuple(allowed))
