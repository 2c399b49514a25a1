"""Presigned uploads: an address that takes one PUT without credentials, and serves the bytes back."""

import hashlib
import hmac
import mimetypes
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from urllib.parse import urlencode

from starlette.responses import Response

from .clock import Clock
from .identity import Identity

_EXTENSION = re.compile(r"[A-Za-z0-9]{1,10}")
_CREDENTIALS = ("x-ultracart-simple-key", "authorization")


class StorageError(Exception):
    """A refusal in the words of S3: a status, and a code that goes into an XML body."""

    def __init__(self, status: int, code: str) -> None:
        super().__init__(code)
        self.status = status
        self.code = code


@dataclass(slots=True)
class Media:
    """Stored bytes."""

    content: bytes
    content_type: str


@dataclass(slots=True)
class Uploads:
    """Issues presigned addresses, takes the bytes and serves them."""

    clock: Clock
    identity: Identity
    lifetime: int = 900
    """Seconds that an address is valid."""
    origin: str = ""
    stored: dict[str, Media] = field(default_factory=dict[str, Media], repr=False)
    _secret: bytes = field(init=False, repr=False)

    def __post_init__(self) -> None:
        self._secret = self.identity.secret().encode()

    def issue(self, extension: str) -> tuple[str, str] | None:
        """A key and the address to PUT its bytes to; None for something that is no file extension."""
        if not _EXTENSION.fullmatch(extension):
            return None
        key = f"{self.identity.uuid()}.{extension.lower()}"
        return key, f"{self.origin}/uploads/{key}?{urlencode(self._signed_query(key))}"

    def put(self, key: str, *, query: Mapping[str, str], headers: Mapping[str, str], content: bytes) -> None:
        """Store the bytes; StorageError when S3 would refuse them."""
        if any(name in headers for name in _CREDENTIALS):
            raise StorageError(403, "AccessDenied")
        if "content-length" not in headers:
            raise StorageError(411, "MissingContentLength")
        self._check(key, query)
        self.stored[key] = Media(content, headers.get("content-type") or _guess(key))

    def get(self, key: str) -> Media:
        if key not in self.stored:
            raise StorageError(404, "NoSuchKey")
        return self.stored[key]

    def urls(self, keys: tuple[str, ...]) -> list[str]:
        """Where the stored ones among `keys` are served."""
        return [f"{self.origin}/media/{key}" for key in keys if key in self.stored]

    def _check(self, key: str, query: Mapping[str, str]) -> None:
        date, expires = query.get("X-Amz-Date", ""), query.get("X-Amz-Expires", "")
        expected = self._signature(key, date, expires)
        if not hmac.compare_digest(expected.encode(), query.get("X-Amz-Signature", "").encode()):
            raise StorageError(403, "SignatureDoesNotMatch")
        signed_at = datetime.strptime(date, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC).timestamp()
        if self.clock.now() > signed_at + int(expires) or key in self.stored:
            raise StorageError(403, "AccessDenied")

    def _signed_query(self, key: str) -> dict[str, str]:
        date = datetime.fromtimestamp(self.clock.now(), UTC).strftime("%Y%m%dT%H%M%SZ")
        expires = str(self.lifetime)
        return {
            "X-Amz-Algorithm": "AWS4-HMAC-SHA256",
            "X-Amz-Credential": f"SANDBOX/{date[:8]}/us-east-1/s3/aws4_request",
            "X-Amz-Date": date,
            "X-Amz-Expires": expires,
            "X-Amz-SignedHeaders": "host",
            "X-Amz-Signature": self._signature(key, date, expires),
        }

    def _signature(self, key: str, date: str, expires: str) -> str:
        return hmac.digest(self._secret, f"PUT\n{key}\n{date}\n{expires}".encode(), hashlib.sha256).hex()


def storage_refusal(error: StorageError) -> Response:
    body = f'<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>{error.code}</Code></Error>'
    return Response(body, error.status, media_type="application/xml")


def _guess(key: str) -> str:
    return mimetypes.guess_type(key)[0] or "application/octet-stream"
