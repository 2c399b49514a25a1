"""The OAuth server's state: who logged in, which tokens are alive, and the switches that tests turn."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal

from .clock import Clock
from .dice import dice
from .envelope import Json
from .queues import Agent

CODE_LIFETIME = 60.0
DEVICE_GRANT = "urn:ietf:params:oauth:grant-type:device_code"
_LETTERS = "BCDFGHJKLMNPQRSTVWXZ"

Decision = Literal["pending", "approved", "denied"]


class OAuthFailure(Exception):
    """A request that gets no token, with the code that RFC 6749 or RFC 8628 gives to its reason."""

    def __init__(self, code: str, description: str) -> None:
        super().__init__(code, description)
        self.code = code
        self.description = description


@dataclass(slots=True)
class Login:
    """An agent who let an application act for them."""

    client_id: str
    agent: Agent
    alive: bool = True


@dataclass(slots=True)
class Code:
    """What the browser brought back to the application; good for one exchange."""

    client_id: str
    redirect_uri: str
    expires_at: float


@dataclass(slots=True)
class Device:
    """A login that waits for the user to enter its code elsewhere."""

    client_id: str
    user_code: str
    expires_at: float
    interval: float
    asked_at: float | None = None
    decision: Decision = "pending"


@dataclass(slots=True)
class OAuthServer:
    """Issues, refreshes and revokes tokens for the first agent; any `client_id` is known unless `client_ids` are named.

    The forms of requests and replies are documented; lifetimes, rotation and statuses of errors are unknown, so each
    is a switch.
    """

    clock: Clock
    seed: int
    agents: Mapping[str, Agent]
    lifetime: float = 3600.0
    """Seconds that an access token lives."""
    rotation: bool = False
    """Whether a refresh brings another refresh token and ends the one that it was asked with."""
    expires_in: Literal["string", "integer", "absent"] = "string"
    """How the lifetime is written (documented: a string)."""
    error_status: int = 400
    """The status of errors, which have the same object as tokens."""
    client_ids: frozenset[str] | None = None
    device_lifetime: float = 600.0
    interval: int = 5
    """Seconds that a device shall wait between two questions."""
    refreshes: int = 0
    """How often tokens were refreshed."""
    _failures: list[OAuthFailure] = field(default_factory=list[OAuthFailure], repr=False)
    _access: dict[str, tuple[Login, float]] = field(default_factory=dict[str, tuple[Login, float]], repr=False)
    _refresh: dict[str, Login] = field(default_factory=dict[str, Login], repr=False)
    _codes: dict[str, Code] = field(default_factory=dict[str, Code], repr=False)
    _devices: dict[str, Device] = field(default_factory=dict[str, Device], repr=False)
    _secret: Callable[[], str] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        chance = dice(self.seed, "oauth")
        self._secret = lambda: f"{chance.getrandbits(200):050x}"

    def fail_refreshes(self, times: int = 1, *, code: str = "invalid_grant", description: str = "As told.") -> None:
        """Refuse the next refreshes; the tokens stay as they are."""
        self._failures += [OAuthFailure(code, description)] * times

    def grant(self, client_id: str = "sandbox-application") -> Json:
        """A login without any page: the same object that a token request gets."""
        return self._issue(Login(client_id, self._first_agent()))

    def expire(self) -> None:
        """End every access token at once; refresh tokens go on."""
        self._access.clear()

    def approve(self, user_code: str) -> None:
        """The user enters the code of a device and says yes; KeyError for a code that is not waiting."""
        self._waiting(user_code).decision = "approved"

    def deny(self, user_code: str) -> None:
        """The user enters the code of a device and says no."""
        self._waiting(user_code).decision = "denied"

    @property
    def user_codes(self) -> tuple[str, ...]:
        """The codes that wait for a user, the newest last."""
        waiting = [each for each in self._devices.values() if each.decision == "pending"]
        return tuple(each.user_code for each in waiting if self.clock.now() < each.expires_at)

    def agent_of(self, access_token: str) -> Agent | None:
        """Whom a bearer token speaks for; None when it is unknown, expired or revoked."""
        login, expires_at = self._access.get(access_token, (None, 0.0))
        return login.agent if login is not None and login.alive and self.clock.now() < expires_at else None

    def code(self, client_id: str, redirect_uri: str) -> str:
        """The user said yes in the browser; who asked is checked when the code comes back."""
        code = self._secret()
        self._codes[code] = Code(client_id, redirect_uri, self.clock.now() + CODE_LIFETIME)
        return code

    def token(self, form: Mapping[str, str]) -> Json:
        """Reply to a token request; OAuthFailure when it gets none."""
        self._check_client(form.get("client_id", ""))
        grants: dict[str, Callable[[Mapping[str, str]], Json]] = {
            "authorization_code": self._by_code,
            "refresh_token": self._by_refresh_token,
            DEVICE_GRANT: self._by_device,
        }
        grant = grants.get(form.get("grant_type", ""))
        if grant is None:
            raise OAuthFailure("unsupported_grant_type", "This grant_type is unknown.")
        return grant(form)

    def device(self, form: Mapping[str, str], *, page: str) -> Json:
        """Reply to a device authorization request."""
        self._check_client(form.get("client_id", ""))
        if not form.get("scope"):
            raise OAuthFailure("invalid_request", "The parameter scope is missing.")
        chance = dice(self.seed, f"user code {len(self._devices)}")
        letters = "".join(chance.choice(_LETTERS) for _ in range(8))
        user_code, device_code = f"{letters[:4]}-{letters[4:]}", self._secret()
        expires_at = self.clock.now() + self.device_lifetime
        self._devices[device_code] = Device(form["client_id"], user_code, expires_at, self.interval)
        return {
            "device_code": device_code,
            "user_code": user_code,
            "verification_uri": page,
            "verification_uri_complete": f"{page}?user_code={user_code}",
            "expires_in": int(self.device_lifetime),
            "interval": self.interval,
        }

    def revoke(self, form: Mapping[str, str]) -> Json:
        """End a token; a refresh token takes its whole login along, and an unknown one is fine (RFC 7009)."""
        self._check_client(form.get("client_id", ""))
        token = form.get("token", "")
        login = self._refresh.pop(token, None)
        if login is not None:
            login.alive = False
        self._access.pop(token, None)
        return {"successful": True, "message": "The token is revoked."}

    def _by_code(self, form: Mapping[str, str]) -> Json:
        code = self._codes.pop(form.get("code", ""), None)
        if code is None or self.clock.now() >= code.expires_at:
            raise OAuthFailure("invalid_grant", "The code is unknown, used or expired.")
        if (code.client_id, code.redirect_uri) != (form["client_id"], form.get("redirect_uri")):
            raise OAuthFailure("invalid_grant", "The code was issued to another client_id or redirect_uri.")
        return self._issue(Login(code.client_id, self._first_agent()))

    def _by_refresh_token(self, form: Mapping[str, str]) -> Json:
        if self._failures:
            raise self._failures.pop(0)
        token = form.get("refresh_token", "")
        login = self._refresh.get(token)
        if login is None or not login.alive or login.client_id != form["client_id"]:
            raise OAuthFailure("invalid_grant", "The refresh token is unknown, used or revoked.")
        self.refreshes += 1
        if self.rotation:
            del self._refresh[token]
        return self._issue(login, with_refresh_token=self.rotation)

    def _by_device(self, form: Mapping[str, str]) -> Json:
        device = self._devices.get(form.get("device_code", ""))
        if device is None or device.client_id != form["client_id"]:
            raise OAuthFailure("invalid_grant", "The device code is unknown or used.")
        now, asked_at = self.clock.now(), device.asked_at
        device.asked_at = now
        if now >= device.expires_at:
            raise OAuthFailure("expired_token", "The user took too long.")
        if asked_at is not None and now - asked_at < device.interval - 0.5:
            device.interval += 5
            raise OAuthFailure("slow_down", f"Wait {device.interval} seconds between two questions.")
        if device.decision == "pending":
            raise OAuthFailure("authorization_pending", "The user has not decided yet.")
        del self._devices[form["device_code"]]
        if device.decision == "denied":
            raise OAuthFailure("access_denied", "The user said no.")
        return self._issue(Login(device.client_id, self._first_agent()))

    def _issue(self, login: Login, *, with_refresh_token: bool = True) -> Json:
        access_token = self._secret()
        self._access[access_token] = (login, self.clock.now() + self.lifetime)
        reply: Json = {"access_token": access_token, "token_type": "bearer", "scope": "crm", "merchant_id": "DEMO"}
        if self.expires_in != "absent":
            reply["expires_in"] = str(int(self.lifetime)) if self.expires_in == "string" else int(self.lifetime)
        if with_refresh_token:
            reply["refresh_token"] = self._secret()
            self._refresh[reply["refresh_token"]] = login
        return reply

    def _check_client(self, client_id: str) -> None:
        if not client_id or (self.client_ids is not None and client_id not in self.client_ids):
            raise OAuthFailure("invalid_client", "This client_id is unknown.")

    def _waiting(self, user_code: str) -> Device:
        wanted = user_code.replace("-", "").strip().upper()
        for device in self._devices.values():
            in_time = self.clock.now() < device.expires_at
            if device.user_code.replace("-", "") == wanted and device.decision == "pending" and in_time:
                return device
        raise KeyError(user_code)

    def _first_agent(self) -> Agent:
        return next(iter(self.agents.values()))
