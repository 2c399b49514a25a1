"""Everything that this package raises.

UltraCartError
├── ConfigurationError          the caller's mistake, found before anything was sent
├── TransportError              no complete reply came
│   ├── ConnectError            nothing was sent
│   ├── TimedOut                the service was too slow; repeating it is safe
│   └── OutcomeUnknown          it was sent and must not be repeated blindly
├── ReplyError                  a reply came, and it is not what was asked for
│   ├── BadRequest              400
│   ├── AuthenticationError     401
│   │   └── OAuthError          the OAuth server says no; `code` says why
│   │       └── LoginRequired   there is no way on but a new login
│   ├── PermissionDenied        403
│   ├── NotFound                404, and a 400 that says the object does not exist
│   ├── ApplicationDisabled     410: UltraCart switched this application off
│   ├── RateLimited             429, or our own budget foresees one
│   ├── ServerError             5xx
│   ├── Refused                 2xx that says `success: false`
│   └── Undecodable             a reply that is no JSON object
├── IncompleteRead              what was read is not provably all
├── SessionError                what an agent's session cannot do
│   ├── SessionClosed           it is not running, or no longer
│   ├── NotConnected            there is no open websocket right now
│   └── SendQueueFull           more waits to be sent than may wait
└── ArchiveError                the archive cannot be read or written; nothing was half written
    ├── ArchiveBusy             somebody else held it locked for too long
    └── Fenced                  another process has taken the archive over

Each message is one line: what happened, to which operation, and what next. All of them pickle.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from ultracart_conversation.exchange import Exchange


class UltraCartError(Exception):
    """The root of all errors of this package."""

    operation: str | None = None
    """The operation that failed, such as `get_conversation`."""
    exchanges: Sequence[Exchange] = ()
    """All attempts at it, oldest first."""


class ConfigurationError(UltraCartError):
    """The caller's mistake; nothing was sent."""


class TransportError(UltraCartError):
    """No complete reply came; the operation is safe to repeat."""


class ConnectError(TransportError):
    """No connection, so nothing was sent."""


class TimedOut(TransportError):
    """The reply, or the whole call, took longer than allowed; the operation is safe to repeat."""


class OutcomeUnknown(TransportError):
    """The request was sent, the reply was lost, and a repetition might do it twice.

    `check` says what to read to learn whether it was done.
    """

    check: str = ""


class ReplyError(UltraCartError):
    """A reply came, and it is not what was asked for."""

    status_code: int = 0
    headers: Mapping[str, str] = {}
    error: Mapping[str, Any] = {}
    """The `error` object of the reply, as it came."""
    body: bytes = b""
    """The start of the reply's body, at most 64 KiB."""

    @property
    def request_id(self) -> str | None:
        """UltraCart's name for the exchange, to quote to its support (documented)."""
        return self.headers.get("X-UltraCart-Request-Id")


class BadRequest(ReplyError):
    """400: the service does not accept the request."""


class AuthenticationError(ReplyError):
    """401: the credentials are not accepted."""


class OAuthError(AuthenticationError):
    """The OAuth server did not give tokens, whatever the reply's status."""

    code: str = ""
    """One of RFC 6749 and RFC 8628, such as `access_denied` or `expired_token`."""
    description: str = ""
    """What the server said of it."""


class LoginRequired(OAuthError):
    """The refresh token or code is no longer accepted (`invalid_grant`), or there is none: log in again."""


class PermissionDenied(ReplyError):
    """403: the credentials are accepted and do not allow this."""


class NotFound(ReplyError):
    """There is no such object: 404, or UltraCart's 400 that says "does not exist" (documented by captured traffic)."""


class ApplicationDisabled(ReplyError):
    """410: UltraCart has switched this application off (documented). Repeating cannot help."""


class RateLimited(ReplyError):
    """429, or our own budget foresees that the wait would pass the deadline."""

    retry_after: float | None = None
    """Seconds until it may be tried again, where known."""
    by_server: bool = True
    """False when nothing was sent because our own budget refused."""


class ServerError(ReplyError):
    """5xx: the service failed; a write may or may not have been carried out."""


class Refused(ReplyError):
    """The status says success and the reply says `success: false`, or carries an error."""


class Undecodable(ReplyError):
    """The reply is not the JSON object that was promised; `body` is its start, as it came."""


class IncompleteRead(UltraCartError):
    """What was read is not provably all there is; nothing was silently left out."""


class SessionError(UltraCartError):
    """What an agent's session cannot do; its REST operations raise their own errors."""


class SessionClosed(SessionError):
    """The session is not running, or no longer."""


class NotConnected(SessionError):
    """There is no open websocket right now, and what was asked for does not wait for one."""


class SendQueueFull(SessionError):
    """More waits to be sent than may wait; nothing was queued."""


class ArchiveError(UltraCartError):
    """The archive cannot be opened, read or written; a transaction that had begun was taken back."""


class ArchiveBusy(ArchiveError):
    """Another process held the archive locked for longer than we wait; nothing was written."""


class Fenced(ArchiveError):
    """Another process has claimed the archive since, so this one writes to it no longer; nothing was written."""
