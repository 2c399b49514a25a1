"""What one call of an operation sends, and what became of its attempts."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote, urlencode

import attrs

from ultracart_conversation._rest.operation import Operation
from ultracart_conversation._rest.outcome import Lost, Outcome, Request
from ultracart_conversation._wire.json import dumps
from ultracart_conversation._wire.json_object import plain
from ultracart_conversation.auth import Authorization, Credentials
from ultracart_conversation.config import Retry
from ultracart_conversation.errors import ConfigurationError, UltraCartError
from ultracart_conversation.exchange import Exchange
from ultracart_conversation.limits import Priority
from ultracart_conversation.models import Model

_HEADERS = {
    "Accept": "application/json",
    "Accept-Encoding": "gzip",
    "User-Agent": "ultracart-conversation",
    "X-UltraCart-Api-Version": "2017-03-01",
}


@attrs.frozen
class Content:
    """A request's body, which stays out of the `repr`."""

    kind: str
    body: bytes = attrs.field(repr=False)


@attrs.frozen(kw_only=True)
class Options:
    """How long a call may take, in seconds, how it is retried, and how urgent it is."""

    deadline: float | None
    retry: Retry
    priority: Priority | None = None
    """Instead of the operation's own; what is CRITICAL stays so."""

    def priority_of(self, operation: Operation[Any]) -> Priority:
        """How urgent a call of `operation` is."""
        if self.priority is None or operation.priority is Priority.CRITICAL:
            return operation.priority
        return self.priority


class Call:
    """One call of an operation, over all its attempts."""

    def __init__(
        self,
        operation: Operation[Any],
        target: str,
        content: Content | None,
        *,
        retry: Retry,
        priority: Priority,
        deadline: float | None = None,
        credentials: Credentials | None = None,
    ) -> None:
        self.operation = operation
        self.retry = retry
        self.priority = priority
        self.deadline = deadline
        self.credentials = credentials
        self.exchanges: list[Exchange] = []
        self._target = target
        self._content = content
        self._authorization: Authorization | None = None
        self._another = False

    def request(self) -> Request | None:
        """What to send now; None when what would authorize it is no longer worth sending."""
        headers = dict(_HEADERS)
        if self.credentials is not None:
            self._authorization = self.credentials.current()
            if self._authorization is None:
                return None
            headers[self._authorization.header] = self._authorization.value
        if self._content is not None:
            headers["Content-Type"] = self._content.kind
        body = None if self._content is None else self._content.body
        return Request(method=self.operation.method, path=self._target, headers=headers, body=body)

    def note(self, outcome: Outcome, *, elapsed: float) -> Exchange:
        """Write down one attempt, and at once that its authorization was rejected, if it was."""
        exchange = exchange_of(self.operation, outcome, attempt=len(self.exchanges) + 1, elapsed=elapsed)
        self.exchanges.append(exchange)
        if exchange.status_code == 401 and self.credentials is not None and self._authorization is not None:
            self._another = self.credentials.reject(self._authorization)
        return exchange

    def may_be_authorized_anew(self) -> bool:
        """Whether the last attempt met the first 401, and there may be an authorization that does better."""
        statuses = [exchange.status_code for exchange in self.exchanges]
        return self._another and statuses[-1] == 401 and statuses.count(401) == 1

    def failed(self, error: UltraCartError) -> UltraCartError:
        error.operation, error.exchanges = self.operation.name, tuple(self.exchanges)
        return error


def exchange_of(operation: Operation[Any], outcome: Outcome, *, attempt: int, elapsed: float) -> Exchange:
    """What may be told of one attempt."""
    reply = None if isinstance(outcome, Lost) else outcome
    return Exchange(
        operation=operation.name,
        method=operation.method,
        path=operation.path,
        attempt=attempt,
        elapsed=elapsed,
        status_code=reply.status_code if reply else None,
        headers=reply.headers if reply else {},
        failure=outcome.detail if isinstance(outcome, Lost) else None,
    )


def target_of(operation: Operation[Any], path: Mapping[str, str | int], query: Mapping[str, str | int | None]) -> str:
    """The path and query to send; raises `ConfigurationError` for a parameter that cannot be sent."""
    pairs = [(name, value) for name, value in query.items() if value is not None]
    try:
        return operation.expand(path) + ("?" + urlencode(pairs, quote_via=quote) if pairs else "")
    except UnicodeEncodeError as error:
        raise ConfigurationError(f"{operation.name}: {error.object!r} is not text that UTF-8 can carry") from None


def encode(operation: Operation[Any], body: Model | Mapping[str, Any]) -> bytes:
    """`body` as JSON; raises `ConfigurationError` for something that JSON cannot say."""
    try:
        return dumps(body.to_dict() if isinstance(body, Model) else plain(body))
    except (TypeError, ValueError) as error:
        raise ConfigurationError(f"{operation.name}: the body cannot be written as JSON: {error}") from None
