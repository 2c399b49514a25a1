"""A newer or a broken server: whatever it sends is survived, readable, counted and written back."""

import logging
from typing import Any

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.contract.contract import FIELDS, MODELS, SCHEMAS, example, whole
from ultracart_conversation import Drift, OpenEnum
from ultracart_conversation._wire.drift import reporting_to
from ultracart_conversation.models import Model

JSON_VALUES: list[Any] = ["text", 5, 2.5, True, {"a": [1]}, [1], ["x"], [{"a": 1}]]
_MATCHES = {"string": str, "integer": int, "number": (int, float), "boolean": bool}


def fits(kind: Any, name: str, value: Any) -> bool:
    """Whether the contract allows `value`."""
    if isinstance(kind, dict):
        return isinstance(value, list) and all(fits(kind["list"], name, item) for item in value)
    if kind in SCHEMAS:
        return isinstance(value, dict)
    if name.endswith("_dts") or (isinstance(value, bool) and kind != "boolean"):
        return False
    return isinstance(value, _MATCHES[kind])  # type: ignore[arg-type]


WRONG = [
    pytest.param(model, name, value, id=f"{model.__name__}.{name}={value!r}")
    for model, name, field in FIELDS
    for value in JSON_VALUES
    if not fits(field["type"], name, value)
]


@pytest.mark.parametrize("schema", MODELS)
def test_a_strange_field_is_kept_and_written_back(schema: str) -> None:
    document = whole(schema) | {"stranger": {"deep": [1, None]}, "extra": "a field of that name"}
    drift = Drift()
    with reporting_to(drift):
        model = MODELS[schema].from_dict(document)
    assert model.extra == {"stranger": {"deep": (1, None)}, "extra": "a field of that name"}
    assert model.to_dict() == document
    assert drift.unknown_fields == {f"{schema}.stranger": 1, f"{schema}.extra": 1}


@pytest.mark.parametrize(("model", "name", "field"), [row for row in FIELDS if "enum" in row[2]])
def test_a_strange_enum_value_is_kept_and_says_so(model: type[Model], name: str, field: dict[str, Any]) -> None:
    drift = Drift()
    with reporting_to(drift):
        value: OpenEnum = getattr(model.from_dict({name: "stranger"}), name)
    assert (value, value.is_known, type(value).__name__ + ".stranger") == ("stranger", False, *drift.unknown_values)
    assert model.from_dict({name: "stranger"}).to_dict() == {name: "stranger"}
    assert getattr(model.from_dict({name: field["enum"][0]}), name).is_known


@pytest.mark.parametrize(("model", "name", "value"), WRONG)
def test_a_wrong_type_stays_readable_and_costs_no_other_field(model: type[Model], name: str, value: Any) -> None:
    document = whole(model.__name__) | {name: value}
    drift = Drift()
    with reporting_to(drift):
        read = model.from_dict(document)
    assert set(read.extra) == {name}
    assert read.to_dict() == document
    assert f"{model.__name__}.{name}: {type(value).__name__}" in drift.wrong_types


@pytest.mark.parametrize(("model", "name", "field"), FIELDS)
def test_null_is_absent(model: type[Model], name: str, field: dict[str, Any]) -> None:
    assert model.from_dict({name: None}) == model.from_dict({}) == model()
    assert model.from_dict({name: None}).to_dict() == {}
    assert getattr(model(), name) in (None, ())


@pytest.mark.parametrize(("model", "name", "field"), FIELDS)
def test_a_changed_field_wins_over_what_came(model: type[Model], name: str, field: dict[str, Any]) -> None:
    good = getattr(model.from_dict({name: example({**field, "name": name})}), name)
    broken = model.from_dict({name: 2 + 3j})
    assert broken.to_dict() == {name: 2 + 3j}
    assert attrs.evolve(broken, **{name: good}).to_dict() == {name: example({**field, "name": name})}


def test_one_bad_element_costs_only_itself() -> None:
    documents = [{"body": "one"}, "rubbish", None, {"body": "two"}]
    read = MODELS["ConversationMessagesResponse"].from_dict({"conversation_messages": documents})
    assert [message.body for message in read.conversation_messages] == ["one", "two"]  # type: ignore[attr-defined]
    assert read.to_dict() == {"conversation_messages": documents}


def test_each_stranger_is_logged_once_and_without_its_value(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING, "ultracart_conversation.drift"), reporting_to(Drift()) as _:
        for _ in range(3):
            MODELS["Conversation"].from_dict({"stranger": "secret", "message_count": "secret"})
    assert [record.getMessage().count("Conversation.") for record in caplog.records] == [1, 1]
    assert "secret" not in caplog.text


def test_drift_stays_bounded(caplog: pytest.LogCaptureFixture) -> None:
    drift = Drift()
    with reporting_to(drift):
        MODELS["Conversation"].from_dict({f"field_{number}": 1 for number in range(5_000)})
    assert len(drift.unknown_fields) == 1_001
    assert drift.unknown_fields["…"] == 4_000


_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)


def _paths(value: Any) -> list[tuple[Any, ...]]:
    """The way to every value in a document, outer ones first."""
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path for key, inner in items for path in ((key,), *((key, *below) for below in _paths(inner)))]


def _replaced(value: Any, path: tuple[Any, ...], by: Any) -> Any:
    if not path:
        return by
    key, *below = path
    if isinstance(value, dict) and key in value:
        return value | {key: _replaced(value[key], tuple(below), by)}
    if isinstance(value, list) and isinstance(key, int) and key < len(value):
        return [*value[:key], _replaced(value[key], tuple(below), by), *value[key + 1 :]]
    return value


WHOLE = whole("Conversation")


def _without_nothing(value: Any) -> Any:
    """Absent, null and an empty list are one."""
    if isinstance(value, dict):
        return {key: inner for key, item in value.items() if (inner := _without_nothing(item)) not in (None, [])}
    return [_without_nothing(item) for item in value] if isinstance(value, list) else value


@given(st.dictionaries(st.sampled_from(_paths(WHOLE)), _json, max_size=8))
def test_reading_never_fails_and_writing_loses_nothing(corruptions: dict[tuple[Any, ...], Any]) -> None:
    document = WHOLE
    for path, value in corruptions.items():
        document = _replaced(document, path, value)
    with reporting_to(Drift()):
        read = MODELS["Conversation"].from_dict(document)
    assert _without_nothing(read.to_dict()) == _without_nothing(document)
