"""The REST operations of UltraCart's Conversation API."""

from collections.abc import AsyncGenerator, Mapping
from copy import copy
from datetime import datetime
from functools import cached_property
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self, TypeVar

import anyio
import attrs

from ultracart_conversation._rest import routes
from ultracart_conversation._rest.budget import Budget
from ultracart_conversation._rest.call import Options
from ultracart_conversation._rest.operation import Operation
from ultracart_conversation._sync.conversation_list import ConversationList
from ultracart_conversation._sync.course import Course
from ultracart_conversation._sync.message_pages import MessagePages
from ultracart_conversation._sync.page_shape import PageShape
from ultracart_conversation._sync.requests import ListPage, Messages, ReadSince, Reply, Request
from ultracart_conversation._wire.drift import Drift
from ultracart_conversation.auth import ApiKey, Credentials
from ultracart_conversation.clock import Clock, SystemClock
from ultracart_conversation.config import Retry, Timeouts, api_key_from_env, base_url_from_env, checked_base_url
from ultracart_conversation.errors import ConfigurationError, Undecodable
from ultracart_conversation.exchange import OnExchange
from ultracart_conversation.limits import Limits, Priority
from ultracart_conversation.models import (
    ConversationAgentAuthResponse,
    ConversationJoinRequest,
    ConversationMessage,
    ConversationMessagesResponse,
    ConversationMultimediaUploadUrlResponse,
    ConversationResponse,
    ConversationsResponse,
    ConversationStartRequest,
    ConversationStartResponse,
    ConversationSummary,
    ConversationWebchatContext,
    ConversationWebchatQueueStatusesResponse,
    ConversationWebchatQueueStatusUpdateRequest,
    Model,
)

if TYPE_CHECKING:
    import httpx

    from ultracart_conversation.uploads import Uploads

T = TypeVar("T")
LARGEST_PAGE = 200
"""Rows that a page may have at most (documented)."""
_NO_PARAMETERS: Mapping[str, Any] = {}


class ConversationClient:
    """An async client for one merchant; close it, or use it as an async context manager, on one event loop.

    ```python
    async with ConversationClient() as client:
        async for conversation in client.iter_conversations():
            print(conversation.last_conversation_message_body)
    ```

    `api_key` and `base_url` default to the environment's `ULTRACART_API_KEY` and `ULTRACART_BASE_URL`; `credentials`
    take the key's place where more than a key is needed. `limits` are those of the service, or a `Budget` that
    several clients share. `deadline` is the longest that one call may take, in seconds, waits and retries included.
    `transport` is any httpx transport; `clock` is for tests. `on_exchange` hears of every exchange, retries included,
    and never sees a secret; it may be async, and what it raises is logged.

    Every operation may raise any `TransportError` or `ReplyError`, and `ConfigurationError` for arguments
    that cannot be sent. A cancelled operation may have been carried out.
    """

    base_url: str = ""
    """Where requests go, without a trailing slash."""

    def __init__(
        self,
        api_key: str | None = None,
        *,
        base_url: str | None = None,
        credentials: Credentials | None = None,
        limits: Limits | Budget | None = None,
        timeouts: Timeouts | None = None,
        retry: Retry | None = None,
        deadline: float | None = None,
        transport: "httpx.AsyncBaseTransport | None" = None,
        http2: bool = False,
        allow_insecure: bool = False,
        clock: Clock | None = None,
        on_exchange: OnExchange | None = None,
    ) -> None:
        # Importing httpx takes as long as all the rest, and loads rich and click where they are installed.
        from ultracart_conversation._rest.pipeline import Pipeline  # noqa: PLC0415
        from ultracart_conversation._rest.transport import HttpTransport  # noqa: PLC0415

        speaker = _speaker(api_key, credentials)
        # No traceback from here on shall show the key among the locals of this frame.
        del api_key
        if isinstance(speaker, ConfigurationError):
            raise speaker
        self.base_url = checked_base_url(base_url or base_url_from_env(), allow_insecure=allow_insecure)
        self.drift: Drift = Drift()
        """What the service sent to this client and the contract does not know."""
        self.clock: Clock = clock or SystemClock()
        """The time that everything of this client goes by."""
        self.budget: Budget = limits if isinstance(limits, Budget) else Budget(limits, clock=self.clock)
        """The rate budget; `budget.statistics()` says what is left."""
        self._options = Options(deadline=deadline, retry=retry or Retry())
        self._page_shape = PageShape()
        self._transport = HttpTransport(
            self.base_url, timeouts=timeouts or Timeouts(), clock=self.clock, transport=transport, http2=http2
        )
        self._pipeline = Pipeline(
            self._transport,
            credentials=speaker,
            budget=self.budget,
            retry=self._options.retry,
            clock=self.clock,
            drift=self.drift,
            on_exchange=on_exchange,
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _traceback: TracebackType | None
    ) -> None:
        await self.aclose()

    def __repr__(self) -> str:
        return f"ConversationClient(base_url={self.base_url!r})"

    async def aclose(self) -> None:
        """Close all connections, in at most 2 seconds; calls still under way fail."""
        with anyio.move_on_after(2, shield=True):
            await self._pipeline.aclose()

    def with_options(
        self, *, deadline: float | None = None, retry: Retry | None = None, priority: Priority | None = None
    ) -> Self:
        """This client with another `deadline` in seconds, way to retry, or priority; what is None stays as it is.

        `priority` is that of all operations but those that keep an agent online, which are always CRITICAL.

        Connections, budget, credentials and drift are shared, and closing one closes both.
        """
        other = copy(self)
        other.__dict__.pop("uploads", None)
        other._options = attrs.evolve(  # noqa: SLF001
            self._options,
            deadline=self._options.deadline if deadline is None else deadline,
            retry=retry or self._options.retry,
            priority=self._options.priority if priority is None else priority,
        )
        return other

    async def send(
        self,
        operation: Operation[T],
        *,
        path: Mapping[str, str | int] = _NO_PARAMETERS,
        query: Mapping[str, str | int | None] = _NO_PARAMETERS,
        body: Model | Mapping[str, Any] | None = None,
    ) -> T:
        """Send an operation that has no method here; what is None in `query` is left out."""
        return await self._pipeline.send(operation, path=path, query=query, body=body, options=self._options)

    @cached_property
    def uploads(self) -> "Uploads":
        """Files for messages."""
        from ultracart_conversation.uploads import Uploads  # noqa: PLC0415

        return Uploads(self, self._transport, self._pipeline.tell)

    async def get_agent_keep_alive(self) -> None:
        """Keep the agent's session alive (documented); how often is needed is unknown."""
        await self.send(routes.GET_AGENT_KEEP_ALIVE)

    async def get_agent_websocket_authorization(self) -> ConversationAgentAuthResponse:
        """A JWT and a URL to open one websocket with."""
        return await self.send(routes.GET_AGENT_WEBSOCKET_AUTHORIZATION)

    async def get_conversation(self, conversation_uuid: str, *, limit: int | None = None) -> ConversationResponse:
        """A conversation with its messages, of which `limit` keeps the newest (inferred)."""
        path, query = {"conversation_uuid": conversation_uuid}, {"limit": limit}
        return await self.send(routes.GET_CONVERSATION, path=path, query=query)

    async def get_conversation_context(self, conversation_uuid: str) -> ConversationWebchatContext:
        """What the customer of a webchat looks at and has in the cart; SMS has none (inferred)."""
        return await self.send(routes.GET_CONVERSATION_CONTEXT, path={"conversation_uuid": conversation_uuid})

    async def get_conversation_messages(
        self, conversation_uuid: str, since: int, *, limit: int | None = None
    ) -> ConversationMessagesResponse:
        """Messages since a moment in milliseconds since 1970 (inferred).

        Unknown: whether `since` is inclusive, the order, and which end `limit` cuts off. `iter_messages` does not
        depend on them.
        """
        path: dict[str, str | int] = {"conversation_uuid": conversation_uuid, "since": since}
        return await self.send(routes.GET_CONVERSATION_MESSAGES, path=path, query={"limit": limit})

    async def get_conversation_multimedia_upload_url(self, extension: str) -> ConversationMultimediaUploadUrlResponse:
        """A presigned URL for a file with this extension, such as `"png"`; `uploads.put` does all of it."""
        return await self.send(routes.GET_CONVERSATION_MULTIMEDIA_UPLOAD_URL, path={"extension": extension})

    async def get_conversation_webchat_queue_statuses(self) -> ConversationWebchatQueueStatusesResponse:
        """All queues with their agents and the customers who wait."""
        return await self.send(routes.GET_CONVERSATION_WEBCHAT_QUEUE_STATUSES)

    async def get_conversations(
        self,
        *,
        medium: str | None = None,
        before: str | None = None,
        limit: int | None = None,
        offset: int | None = None,
    ) -> ConversationsResponse:
        """A page of summaries from newest to oldest (documented).

        `limit` rows, 100 by default and 200 at most (documented), from `offset` on. `medium` is `sms` or `websocket`.
        What `before` takes is not documented; an ISO-8601 time of the last message is inferred.
        """
        query: dict[str, str | int | None] = {"medium": medium, "before": before, "_limit": limit, "_offset": offset}
        return await self.send(routes.GET_CONVERSATIONS, query=query)

    async def join_conversation(
        self, conversation_uuid: str, join_request: ConversationJoinRequest | None = None
    ) -> None:
        """Take part in a conversation."""
        path = {"conversation_uuid": conversation_uuid}
        await self.send(routes.JOIN_CONVERSATION, path=path, body=join_request)

    async def leave_conversation(self, conversation_uuid: str) -> None:
        """Take part no longer."""
        await self.send(routes.LEAVE_CONVERSATION, path={"conversation_uuid": conversation_uuid})

    async def mark_read_conversation(self, conversation_uuid: str) -> None:
        """Mark all messages of a conversation as read."""
        await self.send(routes.MARK_READ_CONVERSATION, path={"conversation_uuid": conversation_uuid})

    async def start_conversation(self, start_request: ConversationStartRequest) -> ConversationStartResponse:
        """Pick up a queue entry, or write to somebody; never sent twice: a lost reply raises `OutcomeUnknown`."""
        return await self.send(routes.START_CONVERSATION, body=start_request)

    async def update_conversation_webchat_queue_status(
        self, queue_name: str, status_request: ConversationWebchatQueueStatusUpdateRequest
    ) -> None:
        """Set this agent's status in one queue."""
        path = {"queue_name": queue_name}
        await self.send(routes.UPDATE_CONVERSATION_WEBCHAT_QUEUE_STATUS, path=path, body=status_request)

    def iter_conversations(
        self, *, medium: str | None = None, before: str | None = None, limit: int = LARGEST_PAGE
    ) -> AsyncGenerator[ConversationSummary, None]:
        """All conversations from newest to oldest, each once, although the list moves while it is read.

        `limit` is the rows a page, from 1 to 200. To leave early, use `contextlib.aclosing`, as trio asks for.
        """
        _check_page(limit, least=1)
        return self._each_conversation(medium, before, limit)

    def iter_messages(
        self, conversation_uuid: str, *, since: int | datetime = 0, limit: int = LARGEST_PAGE
    ) -> AsyncGenerator[ConversationMessage, None]:
        """The messages of a conversation from `since` on, inclusive, oldest first, each once.

        `since` is a time with an offset, or milliseconds since 1970; `limit` is the messages a page, from 2 to 200.
        Raises `IncompleteRead` where the service does not give, or does not show that it gives, all of them.
        To leave early, use `contextlib.aclosing`, as trio asks for.
        """
        # A page of one message cannot show which end of a longer list it is.
        _check_page(limit, least=2)

        return self._each_message(conversation_uuid, _epoch(since), limit)

    async def _each_conversation(
        self, medium: str | None, before: str | None, limit: int
    ) -> AsyncGenerator[ConversationSummary, None]:
        rows = ConversationList(limit=limit)
        while (page := rows.request) is not None:
            reply = await self.get_conversations(medium=medium, before=before, limit=page.limit, offset=page.offset)
            for summary in rows.receive(reply):
                yield summary

    async def _each_message(self, uuid: str, since: int, limit: int) -> AsyncGenerator[ConversationMessage, None]:
        pages = MessagePages(uuid, since, limit=limit, shape=self._page_shape)
        while (request := pages.request) is not None:
            for message in pages.receive(await answer(self, request)):
                yield message


async def answer(client: ConversationClient, request: Request) -> Reply:
    """Ask the service what the code that catches up wants to know."""
    if isinstance(request, ListPage):
        return await client.get_conversations(
            medium=request.medium, before=request.before, limit=request.limit, offset=request.offset
        )
    if isinstance(request, ReadSince):
        return await _messages(client, request)
    reply = await client.get_conversation(request.conversation_uuid)
    if reply.conversation is None:
        raise Undecodable(f"get_conversation: the reply has no conversation {request.conversation_uuid}")
    return reply.conversation


async def carry_out(client: ConversationClient, course: Course[Request, T]) -> list[T]:
    """Ask the service for all that a course wants to read; gives what the course made ready."""
    ready: list[T] = []
    while (request := course.request) is not None:
        ready += course.receive(await answer(client, request))
    return ready


async def _messages(client: ConversationClient, request: ReadSince) -> Messages:
    reply = await client.get_conversation_messages(request.conversation_uuid, request.since, limit=request.limit)
    return reply.conversation_messages


def _speaker(key: str | None, credentials: Credentials | None) -> Credentials | ConfigurationError:
    """Who the client speaks for; an error comes as a value, so that its traceback has no frame with the key."""
    if credentials is not None:
        return credentials if key is None else ConfigurationError("pass api_key or credentials, not both")
    try:
        return ApiKey(api_key_from_env() if key is None else key)
    except ConfigurationError as error:
        return error.with_traceback(None)


def _check_page(limit: int, *, least: int) -> None:
    if not least <= limit <= LARGEST_PAGE:
        raise ConfigurationError(f"limit is the rows a page, from {least} to {LARGEST_PAGE}, not {limit}")


def _epoch(since: int | datetime) -> int:
    if isinstance(since, int):
        return since
    if since.tzinfo is None:
        raise ConfigurationError(f"since={since.isoformat()} has no offset: say which zone, for example tzinfo=UTC")
    return int(since.timestamp() * 1000)
