"""What UltraCart's contract says of the 13 operations and of the websocket's frames."""

import json
from pathlib import Path
from typing import Any

from ultracart_conversation import models
from ultracart_conversation.models import Model

_DOCUMENT: dict[str, Any] = json.loads((Path(__file__).parent / "contract.json").read_text())

SCHEMAS: dict[str, dict[str, dict[str, Any]]] = _DOCUMENT["schemas"]
OPERATIONS: dict[str, dict[str, Any]] = {name: _DOCUMENT["operations"][name] for name in _DOCUMENT["seed_operations"]}
COMMERCE = {"AutoOrder", "Cart", "CartItem", "HitPageView", "HitSessionStart", "HitSessionUtm", "Order"}
"""Schemas that are kept as `JsonObject`."""


def referenced(kind: Any) -> str | None:
    """The schema that a field's type names, alone or as the element of a list."""
    element = kind["list"] if isinstance(kind, dict) else kind
    return element if element in SCHEMAS else None


def _closure() -> dict[str, type[Model]]:
    roots = [operation["returns"] for operation in OPERATIONS.values() if operation["returns"]]
    bodies = [param["type"] for operation in OPERATIONS.values() for param in operation["params"]]
    waiting = [*roots, *(body for body in bodies if body in SCHEMAS), "ConversationWebsocketMessage"]
    found: set[str] = set()
    while waiting:
        name = waiting.pop()
        if name not in found and name not in COMMERCE:
            found.add(name)
            kinds = (field["type"] for field in SCHEMAS[name].values())
            waiting += [schema for kind in kinds if (schema := referenced(kind))]
    return {name: getattr(models, name) for name in sorted(found)}


MODELS = _closure()
"""Every schema that the operations and frames can hold, with our class for it."""
FIELDS = [(model, name, field) for schema, model in MODELS.items() for name, field in SCHEMAS[schema].items()]


def example(field: dict[str, Any]) -> Any:
    """A value as the contract wants it, in the form that the service and we both write."""
    kind = field["type"]
    if isinstance(kind, dict):
        return [example({**field, "type": kind["list"]})]
    if kind in COMMERCE:
        return {"made_up": {"deep": [1, "two", None, {}]}}
    if kind in SCHEMAS:
        return {name: example({**inner, "name": name}) for name, inner in SCHEMAS[kind].items()}
    if "enum" in field:
        return field["enum"][0]
    if kind == "string" and str(field.get("name", "")).endswith("_dts"):
        return "2025-10-06T16:07:13-04:00"
    return {"string": "text ✓", "integer": 1_759_781_233_123, "number": 0.25, "boolean": True}[kind]


def whole(schema: str) -> dict[str, Any]:
    """An object with every field of `schema`."""
    return {name: example({**field, "name": name}) for name, field in SCHEMAS[schema].items()}
