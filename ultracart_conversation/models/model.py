"""What all models share: fields the contract does not know, and plain dicts in and out."""

from collections.abc import Iterator, Mapping
from typing import Any, ClassVar, Self

import attrs

from ultracart_conversation._wire.converter import NOTHING, converter
from ultracart_conversation._wire.json_object import JsonObject, plain


@attrs.frozen(kw_only=True, repr=False)
class Model:
    """One object of UltraCart's contract: class name = schema name, field name = wire name.

    Every field is optional. Absent and `null` both read as None; a list that is absent, `null` or empty reads as `()`.
    """

    wraps: ClassVar[str | None] = None
    """The field that holds what the service once sent without this wrapper; both shapes are read."""

    extra: JsonObject = NOTHING
    """What came and is not in the fields: unknown fields, and values of a type the contract does not give.

    They are written back unless the field of that name was changed.
    """

    @classmethod
    def from_dict(cls, data: Mapping[str, Any], /) -> Self:
        """Read a JSON object as the service sends it."""
        return converter.structure(plain(data), cls)

    def to_dict(self) -> dict[str, Any]:
        """The JSON object that the service would read: absent fields left out, dates as ISO-8601 text."""
        out: dict[str, Any] = converter.unstructure(self)
        return out

    def __repr__(self) -> str:
        return f"{type(self).__name__}({', '.join(_shown(self))})"


def _shown(model: Model) -> Iterator[str]:
    """The fields that are set; of `extra`, which may hold a secret, only the names."""
    for field in attrs.fields(type(model)):
        value: object = getattr(model, field.name)
        if field.name == "extra":
            if model.extra:
                yield f"extra=<{', '.join(model.extra)}>"
        elif value is not None and value != ():
            yield f"{field.name}={field.repr(value) if callable(field.repr) else repr(value)}"


def hidden(_: object) -> str:
    """The `repr` of a secret field."""
    return "'***'"


def without_query(url: str) -> str:
    """The `repr` of a URL whose query may carry a secret."""
    path, mark, _ = url.partition("?")
    return repr(f"{path}?***" if mark else path)
