"""The one converter between JSON values and models.

Reading is driven by the keys that came, so an absent field costs nothing. Nothing that a server sends makes the
reading of an object fail: what the contract does not know, or knows with another type, is kept in `extra`,
counted in the current `Drift`, and written back.
"""

from collections.abc import Callable, Mapping
from datetime import datetime
from types import NoneType, UnionType
from typing import Any, Union, get_args, get_origin, get_type_hints

import attrs
from cattrs import Converter

from ultracart_conversation._wire.dates import write_date
from ultracart_conversation._wire.drift import current_drift
from ultracart_conversation._wire.json_object import JsonObject, plain
from ultracart_conversation._wire.open_enum import OpenEnum

Hook = Callable[[Any, Any], Any]
"""cattrs' form of a reader: the value and the type to read it as."""
Write = Callable[[Any], Any]
_EXACT = (str, int, float, bool)


NOTHING = JsonObject()
create: Callable[[type], Any] = object.__new__


class WrongType(ValueError):
    """A value is not what the contract says; `readable` is the part of it that is, if any."""

    def __init__(self, readable: Any = None) -> None:
        super().__init__(readable)
        self.readable = readable


def _optional(annotation: Any) -> Any:
    """`X` of `X | None`; anything else unchanged."""
    if get_origin(annotation) in (Union, UnionType):
        (annotation,) = [member for member in get_args(annotation) if member is not NoneType]
    return annotation


def _fields(model: type) -> dict[str, Any]:
    """The wire fields of `model` with their annotations; `extra` is ours."""
    hints = get_type_hints(model)
    return {field.name: _optional(hints[field.name]) for field in attrs.fields(model) if field.name != "extra"}


def _reader_of(expected: type) -> Hook:
    accepted = (float, int) if expected is float else (expected,)

    def read(value: Any, _: Any) -> Any:
        if value.__class__ not in accepted:
            raise WrongType
        return value

    return read


def _read_date(value: Any, _: Any) -> datetime:
    if value.__class__ is not str:
        raise WrongType
    instant = datetime.fromisoformat(value)
    if instant.tzinfo is None:
        raise WrongType
    return instant


def _read_enum(value: Any, enum: type[OpenEnum]) -> OpenEnum:
    if value.__class__ is not str:
        raise WrongType
    return enum.known().get(value) or _stranger(enum, value)


def _stranger(enum: type[OpenEnum], value: str) -> OpenEnum:
    member = enum(value)
    if not member.is_known:
        current_drift().unknown_value(enum.__name__, value)
    return member


def _read_object(value: Any, _: Any) -> JsonObject:
    if value.__class__ is not dict:
        raise WrongType
    return JsonObject(value)


def _hook(annotation: Any) -> Hook:
    hook: Hook = converter.get_structure_hook(annotation)
    return hook


def _list_reader(annotation: Any) -> Hook:
    element = get_args(annotation)[0]
    read = _hook(element)

    def read_list(values: Any, _: Any) -> tuple[Any, ...]:
        if values.__class__ is not list:
            raise WrongType
        try:
            return tuple([read(value, element) for value in values])
        except ValueError:
            raise WrongType(_readable(read, values, element)) from None

    return read_list


def _readable(read: Hook, values: list[Any], element: Any) -> tuple[Any, ...]:
    readable: list[Any] = []
    for value in values:
        try:
            readable.append(read(value, element))
        except ValueError:
            continue
    return tuple(readable)


def _wrapping(model: type, fields: Mapping[str, Any]) -> Callable[[dict[str, Any]], dict[str, Any]] | None:
    """How to bring an older, flat shape of `model` into today's nested one (see `Model.wraps`)."""
    inner: str | None = getattr(model, "wraps", None)
    if inner is None:
        return None
    inner_fields = _fields(fields[inner]).keys() - fields.keys()

    def wrap(raw: dict[str, Any]) -> dict[str, Any]:
        if inner in raw or inner_fields.isdisjoint(raw):
            return raw
        envelope = {key: value for key, value in raw.items() if key in fields}
        return envelope | {inner: {key: value for key, value in raw.items() if key not in fields}}

    return wrap


def _model_reader(model: type) -> Hook:
    fields = _fields(model)
    # Filling the slots one by one costs half of what a frozen class' `__init__` does, and this is the hot loop.
    plan = [
        (field.name, getattr(model, field.name).__set__, fields[field.name], _hook(fields[field.name]), field.default)
        for field in attrs.fields(model)
        if field.name in fields
    ]
    known = frozenset(fields)
    put_extra = getattr(model, "extra").__set__  # noqa: B009
    wrap = _wrapping(model, fields)

    def read_model(raw: Any, _: Any) -> Any:
        if raw.__class__ is not dict:
            raise WrongType
        if wrap is not None:
            raw = wrap(raw)
        get = raw.get
        instance = create(model)
        extra = {} if known.issuperset(raw) else _unknown(model, raw, known)
        for name, put, annotation, hook, default in plan:
            value = get(name)
            if value is None:
                put(instance, default)
            elif value.__class__ is annotation:
                put(instance, value)
            else:
                try:
                    put(instance, hook(value, annotation))
                except ValueError as error:
                    extra[name] = value
                    put(instance, _readable_part(error, default))
                    current_drift().wrong_type(model.__name__, name, value)
        put_extra(instance, JsonObject(extra) if extra else NOTHING)
        return instance

    return read_model


def _unknown(model: type, raw: dict[str, Any], known: frozenset[str]) -> dict[str, Any]:
    unknown = {key: value for key, value in raw.items() if key not in known}
    for key in unknown:
        current_drift().unknown_field(model.__name__, key)
    return unknown


def _readable_part(error: ValueError, default: Any) -> Any:
    return default if not isinstance(error, WrongType) or error.readable is None else error.readable


def _same(value: Any) -> Any:
    return value


def _list_writer(annotation: Any) -> Write:
    write = _writer(get_args(annotation)[0])
    return lambda values: [write(value) for value in values]


def _writer(annotation: Any) -> Write:
    return _same if annotation in _EXACT else converter.get_unstructure_hook(annotation)


def _model_writer(model: type) -> Write:
    fields = _fields(model)
    writers = {name: _writer(annotation) for name, annotation in fields.items()}

    def write_model(value: Any) -> dict[str, Any]:
        out: dict[str, Any] = value.extra.to_dict()
        for name, write in writers.items():
            attribute = getattr(value, name)
            if attribute is None or attribute == ():
                continue
            if name not in out or not _reads_as(fields[name], out[name], attribute):
                out[name] = write(attribute)
        return out

    return write_model


def _reads_as(annotation: Any, raw: Any, attribute: Any) -> bool:
    """Whether the raw value kept in `extra` is the one that the attribute was read from."""
    try:
        return bool(_hook(annotation)(raw, annotation) == attribute)
    except WrongType as wrong:
        return bool(wrong.readable == attribute)
    except ValueError:
        return False


def _is_model(annotation: Any) -> bool:
    return isinstance(annotation, type) and attrs.has(annotation)


def _is_list(annotation: Any) -> bool:
    return get_origin(annotation) is tuple


converter = Converter(prefer_attrib_converters=False)
for _exact in _EXACT:
    converter.register_structure_hook(_exact, _reader_of(_exact))
converter.register_structure_hook(datetime, _read_date)
converter.register_structure_hook(JsonObject, _read_object)
converter.register_structure_hook(OpenEnum, _read_enum)
converter.register_structure_hook_factory(_is_list, _list_reader)
converter.register_structure_hook_factory(_is_model, _model_reader)
converter.register_unstructure_hook(datetime, write_date)
converter.register_unstructure_hook(JsonObject, plain)
converter.register_unstructure_hook(OpenEnum, str)
converter.register_unstructure_hook_factory(_is_list, _list_writer)
converter.register_unstructure_hook_factory(_is_model, _model_writer)
