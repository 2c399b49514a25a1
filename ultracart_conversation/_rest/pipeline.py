"""The one way that every operation takes: authorise, wait for the budget, exchange, decide, decode."""

import logging
import random
from collections.abc import Mapping
from types import NoneType
from typing import Any, TypeVar, cast
from urllib.parse import quote, urlencode

from ultracart_conversation._rest.budget import Budget, WouldPassDeadline
from ultracart_conversation._rest.http_info import record
from ultracart_conversation._rest.operation import Operation
from ultracart_conversation._rest.outcome import Lost, Outcome, Request, Stage
from ultracart_conversation._rest.retry import wait_before_next
from ultracart_conversation._rest.transport import HttpTransport
from ultracart_conversation._rest.verdict import judge, retry_after
from ultracart_conversation._wire.converter import converter
from ultracart_conversation._wire.drift import Drift, reporting_to
from ultracart_conversation._wire.json import dumps
from ultracart_conversation._wire.json_object import plain
from ultracart_conversation.auth import Authorization, Credentials
from ultracart_conversation.clock import Clock
from ultracart_conversation.config import Retry
from ultracart_conversation.errors import AuthenticationError, RateLimited, UltraCartError
from ultracart_conversation.exchange import Exchange
from ultracart_conversation.models import Model

T = TypeVar("T")
_logger = logging.getLogger("ultracart_conversation.rest")
_HEADERS = {
    "Accept": "application/json",
    "Accept-Encoding": "gzip",
    "User-Agent": "ultracart-conversation",
    "X-UltraCart-Api-Version": "2017-03-01",
}


class Pipeline:
    """Sends operations for one client."""

    def __init__(
        self,
        transport: HttpTransport,
        *,
        credentials: Credentials,
        budget: Budget,
        retry: Retry,
        clock: Clock,
        drift: Drift,
    ) -> None:
        self._transport = transport
        self._credentials = credentials
        self._budget = budget
        self._retry = retry
        self._clock = clock
        self._drift = drift

    async def send(
        self,
        operation: Operation[T],
        *,
        path: Mapping[str, str | int],
        query: Mapping[str, str | int | None],
        body: Model | Mapping[str, Any] | None,
        deadline: float | None,
    ) -> T:
        """Carry out `operation`; `deadline` is a time of the clock, for the whole call."""
        call = _Call(operation, _target(operation, path, query), None if body is None else _encode(body), deadline)
        while True:
            authorization = await self._credentials.authorization()
            outcome = await self._exchange(call, authorization)
            verdict = judge(operation, outcome)
            if not isinstance(verdict, UltraCartError):
                return self._decode(operation, verdict)
            if call.exchanges_with(401) == 1 and isinstance(verdict, AuthenticationError):
                if await self._credentials.renew(authorization):
                    continue
                raise call.failed(verdict)
            await self._wait_before_next(call, outcome, verdict)

    async def _exchange(self, call: "_Call", authorization: Authorization) -> Outcome:
        request = call.request(authorization)
        try:
            async with self._budget.slot(call.operation.priority, deadline=call.deadline) as slot:
                started = self._clock.now()
                outcome = await self._transport.exchange(request, deadline=call.deadline)
                call.note(outcome, elapsed=self._clock.now() - started)
                if isinstance(outcome, Lost):
                    if outcome.stage is Stage.CONNECTING:
                        slot.unsent()
                elif outcome.status_code == 429:
                    self._budget.throttled(retry_after(outcome))
        except WouldPassDeadline as refusal:
            raise call.failed(_foreseen(call.operation, refusal)) from None
        return outcome

    async def _wait_before_next(self, call: "_Call", outcome: Outcome, verdict: UltraCartError) -> None:
        """Wait for the next attempt, or raise `verdict` because there is none."""
        attempt = len(call.exchanges)
        wait = wait_before_next(call.operation, outcome, attempt=attempt, retry=self._retry, draw=random.random)
        if wait is None or (call.deadline is not None and self._clock.now() + wait > call.deadline):
            raise call.failed(verdict)
        _logger.info("%s: attempt %d failed (%s); next in %.2f s", call.operation.name, attempt, _brief(outcome), wait)
        await self._clock.sleep(wait)

    def _decode(self, operation: Operation[T], document: dict[str, Any]) -> T:
        if operation.returns is NoneType:
            return cast("T", None)
        with reporting_to(self._drift):
            return converter.structure(document, operation.returns)


class _Call:
    """One call of an operation, over all its attempts."""

    def __init__(self, operation: Operation[Any], target: str, body: bytes | None, deadline: float | None) -> None:
        self.operation = operation
        self.deadline = deadline
        self.exchanges: list[Exchange] = []
        self._target = target
        self._body = body

    def request(self, authorization: Authorization) -> Request:
        headers = _HEADERS | {authorization.header: authorization.value}
        if self._body is not None:
            headers["Content-Type"] = "application/json"
        return Request(method=self.operation.method, path=self._target, headers=headers, body=self._body)

    def note(self, outcome: Outcome, *, elapsed: float) -> None:
        reply = None if isinstance(outcome, Lost) else outcome
        exchange = Exchange(
            operation=self.operation.name,
            method=self.operation.method,
            path=self.operation.path,
            attempt=len(self.exchanges) + 1,
            elapsed=elapsed,
            status_code=reply.status_code if reply else None,
            headers=reply.headers if reply else {},
            failure=outcome.detail if isinstance(outcome, Lost) else None,
        )
        self.exchanges.append(exchange)
        record(exchange)

    def exchanges_with(self, status_code: int) -> int:
        return sum(exchange.status_code == status_code for exchange in self.exchanges)

    def failed(self, error: UltraCartError) -> UltraCartError:
        error.operation, error.exchanges = self.operation.name, tuple(self.exchanges)
        return error


def _target(operation: Operation[Any], path: Mapping[str, str | int], query: Mapping[str, str | int | None]) -> str:
    pairs = [(name, value) for name, value in query.items() if value is not None]
    return operation.expand(path) + ("?" + urlencode(pairs, quote_via=quote) if pairs else "")


def _encode(body: Model | Mapping[str, Any]) -> bytes:
    return dumps(body.to_dict() if isinstance(body, Model) else plain(body))


def _brief(outcome: Outcome) -> str:
    return outcome.detail if isinstance(outcome, Lost) else str(outcome.status_code)


def _foreseen(operation: Operation[Any], refusal: WouldPassDeadline) -> RateLimited:
    error = RateLimited(f"{operation.name}: {refusal}; nothing was sent: wait, or set a later deadline")
    error.status_code, error.retry_after, error.by_server = 429, refusal.wait, False
    return error
