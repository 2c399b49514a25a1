"""The ASGI application: every request is recorded, admitted or refused, and answered, well or as a fault says."""

import logging
from collections.abc import Callable
from contextlib import AbstractContextManager

from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import Message, Receive, Scope, Send

from . import oauth_endpoints, routes
from .call import Call
from .control import Control
from .envelope import Refusal, answer, refuse
from .exchange import Exchange, Received
from .faults import Fault, Plan, subjects
from .limits import RateMeter
from .operations import Operations
from .queues import Agent
from .request_log import RequestLog
from .routes import Match
from .sabotage import sabotage
from .uploads import StorageError, storage_refusal
from .world import World

API_VERSION = "2017-03-01"
_VERSION_HEADER = "x-ultracart-api-version"
_KEY_HEADER = "x-ultracart-simple-key"

logger: logging.Logger = logging.getLogger("ultracart_conversation.sandbox")


class Application:
    """REST, uploads and, when allowed, the control API."""

    def __init__(self, world: World, operations: Operations, meter: RateMeter, control: Control | None) -> None:
        self.log: RequestLog = RequestLog()
        self.faults: Plan[Fault] = Plan(world.chance)
        self._world = world
        self._operations = operations
        self._meter = meter
        self._oauth = oauth_endpoints.OAuthEndpoints(world.oauth)
        self._control = control

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        try:
            body = await request.body()
        except ClientDisconnect:
            return
        if self._control is not None and request.url.path.startswith("/_sandbox/"):
            response = self._control.answer(request.method, request.url.path, body)
            await response(scope, receive, send)
            return
        match = routes.find(request.method, request.scope["raw_path"])
        received = self._record(request, match, body)
        exchange = Exchange(received, scope, receive, self._stamping(received, send))
        await self._answer(exchange, match)
        status = received.status or "no answer"
        logger.info("%s %s -> %s (%s)", request.method, request.url.path, status, match.operation)

    async def _answer(self, exchange: Exchange, match: Match) -> None:
        try:
            admission, perform = self._admit(exchange.received, match)
            with admission:
                fault = self.faults.take(subjects(match.operation, exchange.received.conversation_uuid))
                if fault is None:
                    await exchange.answer(perform())
                else:
                    await sabotage(exchange, fault, perform)
        except Refusal as refusal:
            await exchange.answer(refuse(refusal))

    def _admit(self, received: Received, match: Match) -> tuple[AbstractContextManager[None], Callable[[], Response]]:
        """Who may pass, and what is then done; Refusal for a request that UltraCart turns away unread."""
        if match.operation in {"put_upload", "get_media"}:
            return self._meter.exempt(), lambda: self._store(received, match)
        if match.operation in oauth_endpoints.OPERATIONS:
            root = f"{self._world.uploads.origin}{routes.ROOT}"
            return self._meter.exempt(), lambda: self._oauth.answer(received, root=root)
        if match.operation == "unknown":
            raise _not_served(received, match)
        agent = self._authorise(received)
        call = Call(agent, match.arguments, received.query, received.body)
        return self._meter.admit(agent.api_key), lambda: self._perform(match.operation, call)

    def _authorise(self, received: Received) -> Agent:
        if received.headers.get(_VERSION_HEADER) != API_VERSION:
            raise Refusal(400, f"The header X-UltraCart-Api-Version must be specified as {API_VERSION}.")
        scheme, _, token = received.headers.get("authorization", "").partition(" ")
        if scheme.lower() == "bearer":
            agent = self._world.oauth.agent_of(token)
            reason = "The access token is unknown, expired or revoked."
        else:
            agent = self._world.agents.get(received.headers.get(_KEY_HEADER, ""))
            reason = "The API key is missing or unknown."
        if agent is None:
            raise Refusal(401, reason)
        return agent

    def _perform(self, operation: str, call: Call) -> Response:
        try:
            return answer(self._operations.perform(operation, call).content)
        except Refusal as refusal:
            return refuse(refusal)

    def _store(self, received: Received, match: Match) -> Response:
        key = match.arguments["key"]
        uploads = self._world.uploads
        try:
            if match.operation == "get_media":
                media = uploads.get(key)
                return Response(media.content, media_type=media.content_type)
            uploads.put(key, query=received.query, headers=received.headers, content=received.body)
        except StorageError as error:
            return storage_refusal(error)
        self._world.effects["put_upload"] += 1
        return Response()

    def _record(self, request: Request, match: Match, body: bytes) -> Received:
        received = Received(
            operation=match.operation,
            method=request.method,
            raw_path=request.scope["raw_path"],
            query=dict(request.query_params),
            headers=dict(request.headers),
            body=body,
            request_id=self._world.identity.request_id(),
            at=self._world.clock.now(),
            conversation_uuid=match.arguments.get("conversation_uuid"),
        )
        self.log.note(received)
        return received

    def _stamping(self, received: Received, send: Send) -> Send:
        """Every answer carries a request id and the sandbox's time."""

        async def stamped(message: Message) -> None:
            if message["type"] == "http.response.start":
                date = self._world.clock.http_date().encode()
                stamps = [(b"x-ultracart-request-id", received.request_id.encode()), (b"date", date)]
                message = {**message, "headers": [*message["headers"], *stamps]}
            await send(message)

        return stamped


def _not_served(received: Received, match: Match) -> Refusal:
    if match.allowed:
        return Refusal(405, f"{received.method} is not allowed here.", headers={"Allow": ", ".join(match.allowed)})
    return Refusal(404, "There is nothing at this path.")
