"""An operation of the service, as a value."""

import re
from collections.abc import Mapping
from typing import Generic, Literal, TypeVar
from urllib.parse import quote

import attrs

from ultracart_conversation.errors import ConfigurationError
from ultracart_conversation.limits import Priority

T = TypeVar("T")
_PARAMETER = re.compile(r"\{(\w+)\}")


def _relative(_: object, __: object, path: str) -> None:
    if not path.startswith("/") or path.startswith("//") or "?" in path or "#" in path:
        raise ConfigurationError(f"an operation's path starts with one slash and has no query, unlike {path!r}")


@attrs.frozen
class Operation(Generic[T]):
    """What to call, what comes back, and whether it may be sent twice.

    `Operation("mark_read", "PUT", "/conversation/conversations/{uuid}/markread", NoneType, repeatable=True)`
    """

    name: str
    method: Literal["DELETE", "GET", "PATCH", "POST", "PUT"]
    path: str = attrs.field(validator=_relative)
    """A template below the base URL, such as `/conversation/conversations/{conversation_uuid}`."""
    returns: type[T]
    """The model that the reply is read as, `JsonObject` for any JSON object, `NoneType` for none."""
    repeatable: bool = attrs.field(default=False, kw_only=True)
    """Whether sending it twice does no more than sending it once; the HTTP verb does not tell."""
    priority: Priority = attrs.field(default=Priority.READ, kw_only=True)
    check: str = attrs.field(default="", kw_only=True)
    """For an operation that is not repeatable: how to learn whether a lost one was carried out."""

    @property
    def parameters(self) -> tuple[str, ...]:
        """The names in the path template."""
        return tuple(_PARAMETER.findall(self.path))

    def expand(self, values: Mapping[str, str | int]) -> str:
        """The path with `values` percent-encoded; raises `ConfigurationError` for one that cannot stand in a path."""
        if set(values) != set(self.parameters):
            given, wanted = ", ".join(values) or "none", ", ".join(self.parameters) or "none"
            raise ConfigurationError(f"{self.name} takes the path parameters {wanted}; given: {given}")
        return _PARAMETER.sub(lambda match: self._segment(match[1], values[match[1]]), self.path)

    def _segment(self, name: str, value: str | int) -> str:
        text = str(value)
        # "." and ".." would be taken for steps in the path, by clients, proxies and servers alike.
        if text in ("", ".", ".."):
            raise ConfigurationError(f"{self.name}: {name} must not be {text!r}")
        return quote(text, safe="")
