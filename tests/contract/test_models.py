"""Our models and the contract's schemas are the same, in both directions."""

from datetime import datetime
from typing import Any, get_args, get_type_hints

import attrs
import pytest

from tests.contract.contract import COMMERCE, FIELDS, MODELS, SCHEMAS, referenced, whole
from ultracart_conversation import JsonObject, OpenEnum, models
from ultracart_conversation.models import Model

PRIMITIVES: dict[str, type] = {"integer": int, "number": float, "boolean": bool, "string": str}


def declared(model: type[Model], name: str) -> Any:
    hint = get_type_hints(model)[name]
    members = [member for member in get_args(hint) if member is not type(None)]
    return hint if getattr(hint, "__origin__", None) is tuple else members[0]


def expected(name: str, kind: Any) -> Any:
    schema = referenced(kind)
    element = JsonObject if schema in COMMERCE else getattr(models, schema) if schema else None
    if isinstance(kind, dict):
        return tuple[element or PRIMITIVES[kind["list"]], ...]  # type: ignore[misc]
    return element or (datetime if name.endswith("_dts") else PRIMITIVES[kind])


def test_every_schema_has_its_model_and_every_model_its_schema() -> None:
    ours = {name for name in models.__all__ if issubclass(getattr(models, name), Model)}
    assert ours - {"Model"} == MODELS.keys()


@pytest.mark.parametrize("schema", MODELS)
def test_the_fields_are_the_schemas_fields(schema: str) -> None:
    assert {field.name for field in attrs.fields(MODELS[schema])} - {"extra"} == SCHEMAS[schema].keys()


@pytest.mark.parametrize(("model", "name", "field"), FIELDS)
def test_the_type_is_the_schemas_type(model: type[Model], name: str, field: dict[str, Any]) -> None:
    kind = declared(model, name)
    if "enum" in field:
        assert [member.value for member in kind] == field["enum"]
    else:
        assert kind == expected(name, field["type"])


def test_every_enum_is_used() -> None:
    used = {declared(model, name) for model, name, field in FIELDS if "enum" in field}
    listed = (getattr(models, name) for name in models.__all__)
    assert used == {kind for kind in listed if issubclass(kind, OpenEnum)}


@pytest.mark.parametrize("schema", MODELS)
def test_a_whole_object_comes_back_as_it_went(schema: str) -> None:
    document = whole(schema)
    model = MODELS[schema].from_dict(document)
    assert not model.extra
    assert model.to_dict() == document
    assert MODELS[schema].from_dict(model.to_dict()) == model
