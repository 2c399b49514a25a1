"""Events as JSON objects, for programs."""

from collections.abc import Mapping
from datetime import datetime
from enum import Enum
from typing import Any

import attrs

from ultracart_conversation._wire.json_object import plain
from ultracart_conversation.events import Event
from ultracart_conversation.models import Model
from ultracart_conversation.state import SessionState


def event_json(event: Event) -> dict[str, Any]:
    """`event`, the name of its class, and all its attributes by their own names, None included.

    What UltraCart sent is as UltraCart wrote it (`to_dict`); times of ours are ISO-8601 in UTC.
    """
    return {"event": type(event).__name__, **_fields(event)}


def _fields(value: attrs.AttrsInstance) -> dict[str, Any]:
    return {field.name: _plain(getattr(value, field.name)) for field in attrs.fields(type(value))}


def _plain(value: Any) -> Any:
    if isinstance(value, Model):
        return value.to_dict()
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, Mapping):
        return plain(value)
    return _fields(value) if isinstance(value, SessionState) else value
