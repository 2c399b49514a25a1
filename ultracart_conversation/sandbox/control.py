"""The switches over HTTP, under `/_sandbox`, for tests that are not in this process or not in Python."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import attrs
from starlette.responses import Response

from .envelope import Json, Refusal, encode
from .faults import Fault
from .limits import RateLimits
from .personality import Personality
from .socket_faults import SocketFault
from .socket_policy import SocketPolicy

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from .customer import Customer
    from .service import Service

PREFIX = "/_sandbox/"


class Control:
    """`GET /_sandbox/state`, and `POST /_sandbox/<switch>` with the switch's arguments as a JSON object.

    The switches are `personality`, `limits`, `faults`, `sockets`, `tokens`, `lag`, `clock`, `queues` and `customers`;
    an empty object for `limits` lifts them, one for `faults` clears what was planned.
    """

    def __init__(self, sandbox: Service) -> None:
        self._sandbox = sandbox
        self._customers: dict[str, Customer] = {}
        self._switches: dict[str, Callable[[Json], Json | None]] = {
            "personality": self._personality,
            "limits": self._limits,
            "faults": self._faults,
            "sockets": self._sockets,
            "tokens": self._tokens,
            "lag": self._lag,
            "clock": self._clock,
            "queues": self._queues,
            "customers": self._customer,
        }

    def answer(self, method: str, path: str, body: bytes) -> Response:
        name = path.removeprefix(PREFIX)
        if (method, name) == ("GET", "state"):
            return _json(200, self._sandbox.state())
        if method != "POST" or name not in self._switches:
            return _json(404, {"error": "There is no such switch."})
        try:
            return _json(200, self._switches[name](json.loads(body or b"{}")) or {})
        except (ValueError, TypeError, KeyError, AttributeError, Refusal) as error:
            return _json(400, {"error": f"{type(error).__name__}: {error}"})

    def _personality(self, wanted: Json) -> None:
        self._sandbox.personality = Personality(**wanted)

    def _limits(self, wanted: Json) -> None:
        self._sandbox.limits = RateLimits(**wanted) if wanted else None

    def _faults(self, wanted: Json) -> None:
        if wanted:
            self._sandbox.faults.add(Fault(**wanted))
        else:
            self._sandbox.faults.clear()

    def _sockets(self, wanted: Json) -> None:
        """`{"fault": {…}}`, `{"echo": false, …}`, or `{"action": "close", …}` with the arguments of that action."""
        sockets = self._sandbox.sockets
        if "fault" in wanted:
            sockets.faults.add(SocketFault(**wanted["fault"]))
        elif "action" in wanted:
            actions: dict[str, Any] = {
                "close": sockets.close,
                "reset": sockets.reset,
                "silence": sockets.silence,
                "send": sockets.send,
            }
            actions[wanted.pop("action")](**wanted)
        else:
            _turn(sockets, wanted, known={each.name for each in attrs.fields(SocketPolicy)})

    def _tokens(self, wanted: Json) -> None:
        """`{"lifetime": 60, "in_url": false, …}`."""
        tokens = self._sandbox.tokens
        _turn(tokens, wanted, known={"lifetime", "single_use", "in_url", "parameter", "enforced", "expiry_code"})

    def _lag(self, wanted: Json) -> None:
        """`{"seconds": 2.5}`, `{"list_seconds": 30}`, or both."""
        if unknown := wanted.keys() - {"seconds", "list_seconds"}:
            raise KeyError(*unknown)
        self._sandbox.lag = float(wanted.get("seconds", self._sandbox.lag))
        self._sandbox.list_lag = float(wanted.get("list_seconds", self._sandbox.list_lag))

    def _clock(self, wanted: Json) -> Json:
        """`{"advance": seconds}`, `{"freeze": true}` or `{"freeze": false}`."""
        clock = self._sandbox.clock
        if "freeze" in wanted:
            (clock.freeze if wanted["freeze"] else clock.resume)()
        clock.advance(wanted.get("advance", 0))
        return {"now": clock.now()}

    def _queues(self, wanted: Json) -> None:
        self._sandbox.add_queue(wanted["name"])

    def _customer(self, wanted: Json) -> Json:
        """Without `arn`: `arrive` with these arguments. With it: `{"arn": …, "do": "write", …}` of that customer."""
        if "arn" not in wanted:
            customer = self._sandbox.arrive(**wanted)
            self._customers[customer.arn] = customer
            return customer.state()
        customer = self._customers[wanted.pop("arn")]
        actions: dict[str, Any] = {
            "write": customer.write,
            "browse": customer.browse,
            "type": customer.type,
            "leave": customer.leave,
            "state": customer.state,
        }
        actions[wanted.pop("do")](**wanted)
        return customer.state()


def _json(status: int, content: Json) -> Response:
    return Response(encode(content), status, media_type="application/json")


def _turn(switches: object, wanted: Json, *, known: Collection[str]) -> None:
    """Set these attributes; KeyError, before anything is set, when one of them is no switch."""
    for name in wanted:
        if name not in known:
            raise KeyError(name)
    for name, value in wanted.items():
        setattr(switches, name, value)
