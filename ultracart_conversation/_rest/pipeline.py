"""The one way that every operation takes: authorise, wait for the budget, exchange, decide, decode."""

import logging
import random
from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from inspect import isawaitable
from types import NoneType
from typing import Any, TypeVar, cast

import anyio

from ultracart_conversation._rest.budget import Budget, WouldPassDeadline
from ultracart_conversation._rest.call import Call, Content, Options, encode, target_of
from ultracart_conversation._rest.detached import Detached
from ultracart_conversation._rest.http_info import record
from ultracart_conversation._rest.oauth_verdict import judge_form
from ultracart_conversation._rest.operation import Operation
from ultracart_conversation._rest.outcome import Lost, Outcome, Stage
from ultracart_conversation._rest.retry import RetryAllowance, wait_before_next
from ultracart_conversation._rest.transport import HttpTransport
from ultracart_conversation._rest.verdict import judge, retry_after
from ultracart_conversation._wire.converter import converter
from ultracart_conversation._wire.drift import Drift, reporting_to
from ultracart_conversation.auth import Credentials, OAuthForm
from ultracart_conversation.clock import Clock
from ultracart_conversation.config import Retry
from ultracart_conversation.errors import RateLimited, TimedOut, UltraCartError
from ultracart_conversation.exchange import Exchange, OnExchange
from ultracart_conversation.limits import Priority
from ultracart_conversation.models import Model

T = TypeVar("T")
_logger = logging.getLogger("ultracart_conversation.rest")
_GRACE = 1.5
"""Seconds that closing waits for what is detached."""


class Pipeline:
    """Sends operations for one client, and forms for its credentials."""

    def __init__(
        self,
        transport: HttpTransport,
        *,
        credentials: Credentials | None,
        budget: Budget,
        retry: Retry,
        clock: Clock,
        drift: Drift,
        on_exchange: OnExchange | None = None,
    ) -> None:
        self._transport = transport
        self._credentials = credentials
        self._budget = budget
        self._retry = retry
        self._clock = clock
        self._drift = drift
        self._on_exchange = on_exchange
        self._allowance = RetryAllowance(retry.share)
        self._detached = Detached()

    async def send(
        self,
        operation: Operation[T],
        *,
        path: Mapping[str, str | int],
        query: Mapping[str, str | int | None],
        body: Model | Mapping[str, Any] | None,
        options: Options,
    ) -> T:
        """Carry out `operation`."""
        content = None if body is None else Content("application/json", encode(operation, body))
        deadline = None if options.deadline is None else self._clock.now() + options.deadline
        call = Call(
            operation,
            target_of(operation, path, query),
            content,
            retry=options.retry,
            priority=options.priority_of(operation),
            deadline=deadline,
            credentials=self._credentials,
        )
        return self._decode(operation, await self._carry_out(call, partial(judge, operation)))

    async def post(self, form: OAuthForm, returns: type[T], /) -> T:
        """Post `form` without an authorization."""
        operation = Operation(
            form.operation,
            "POST",
            form.path,
            returns,
            repeatable=form.repeatable,
            priority=Priority.CRITICAL,
            check=form.check,
        )
        content = Content("application/x-www-form-urlencoded", form.encode())
        call = Call(operation, form.path, content, retry=self._retry, priority=operation.priority)
        return self._decode(operation, await self._carry_out(call, partial(judge_form, operation, form)))

    def detach(self, work: Callable[[], Awaitable[None]], /) -> None:
        """Start `work`, which must not raise, out of reach of the caller's cancellation."""
        self._detached.start(work)

    async def aclose(self) -> None:
        """Close all connections, after a moment for what is detached: a reply with new tokens may be on its way."""
        with anyio.move_on_after(_GRACE):
            await self._detached.drain()
        await self._transport.aclose()

    async def _carry_out(
        self, call: Call, judge_outcome: Callable[[Outcome], dict[str, Any] | UltraCartError]
    ) -> dict[str, Any]:
        self._allowance.earn()
        while True:
            await self._prepare(call)
            outcome = await self._exchange(call)
            if outcome is None or call.may_be_authorized_anew():
                continue
            verdict = judge_outcome(outcome)
            if not isinstance(verdict, UltraCartError):
                return verdict
            await self._wait_before_next(call, outcome, verdict)

    async def _prepare(self, call: Call) -> None:
        if call.credentials is None:
            return
        left = None if call.deadline is None else call.deadline - self._clock.now()
        with anyio.move_on_after(left) as scope:
            await call.credentials.prepare(self)
        if scope.cancelled_caught:
            what = f"{call.operation.name}: no authorization before the deadline; it is safe to try again"
            raise call.failed(TimedOut(what))

    async def _exchange(self, call: Call) -> Outcome | None:
        """One exchange; None, and nothing sent, when the authorization was rejected while this waited for room."""
        try:
            async with self._budget.slot(call.priority, deadline=call.deadline) as slot:
                request = call.request()
                if request is None:
                    slot.unsent()
                    return None
                started = self._clock.now()
                outcome = await self._transport.exchange(request, deadline=call.deadline)
                exchange = call.note(outcome, elapsed=self._clock.now() - started)
                if isinstance(outcome, Lost):
                    if outcome.stage is Stage.CONNECTING:
                        slot.unsent()
                elif outcome.status_code == 429:
                    self._budget.throttled(retry_after(outcome))
        except WouldPassDeadline as refusal:
            raise call.failed(_foreseen(call.operation, refusal)) from None
        await self.tell(exchange)
        return outcome

    async def tell(self, exchange: Exchange) -> None:
        """Tell `http_info` and the hook; what the hook raises is logged and goes no further."""
        record(exchange)
        if self._on_exchange is None:
            return
        try:
            told = self._on_exchange(exchange)
            if isawaitable(told):
                await told
        except Exception:
            _logger.exception("on_exchange failed for %s", exchange.operation)

    async def _wait_before_next(self, call: Call, outcome: Outcome, verdict: UltraCartError) -> None:
        """Wait for the next attempt, or raise `verdict` because there is none."""
        attempt = len(call.exchanges)
        wait = wait_before_next(call.operation, outcome, attempt=attempt, retry=call.retry, draw=random.random)
        too_late = wait is not None and call.deadline is not None and self._clock.now() + wait > call.deadline
        if wait is None or too_late or not self._allowance.spend():
            raise call.failed(verdict)
        _logger.info("%s: attempt %d failed (%s); next in %.2f s", call.operation.name, attempt, _brief(outcome), wait)
        await self._clock.sleep(wait)

    def _decode(self, operation: Operation[T], document: dict[str, Any]) -> T:
        if operation.returns is NoneType:
            return cast("T", None)
        with reporting_to(self._drift):
            return converter.structure(document, operation.returns)


def _brief(outcome: Outcome) -> str:
    return outcome.detail if isinstance(outcome, Lost) else str(outcome.status_code)


def _foreseen(operation: Operation[Any], refusal: WouldPassDeadline) -> RateLimited:
    error = RateLimited(f"{operation.name}: {refusal}; nothing was sent: wait, or set a later deadline")
    error.status_code, error.retry_after, error.by_server = 429, refusal.wait, False
    return error
