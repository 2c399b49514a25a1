"""A JSON object that is kept as it came: read-only at every depth."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, TypeAlias, cast, final

JsonValue: TypeAlias = "str | int | float | bool | JsonObject | tuple[JsonValue, ...] | None"
"""What a `JsonObject` holds: arrays read as tuples, objects as `JsonObject`."""


@final
class JsonObject(Mapping[str, JsonValue]):
    """A read-only mapping over one JSON object; nested objects and arrays are read-only views too."""

    __slots__ = ("_data",)

    def __init__(self, data: Mapping[str, Any] | None = None, /) -> None:
        self._data: dict[str, Any] = {} if data is None else dict(data)

    def __getitem__(self, key: str) -> JsonValue:
        return _view(self._data[key])

    def __iter__(self) -> Iterator[str]:
        return iter(self._data)

    def __len__(self) -> int:
        return len(self._data)

    def __hash__(self) -> int:
        return hash(frozenset(self._data))

    def __repr__(self) -> str:
        return f"JsonObject({self._data!r})"

    def to_dict(self) -> dict[str, Any]:
        """A mutable deep copy made of plain dicts and lists."""
        return {key: plain(value) for key, value in self._data.items()}


def plain(value: Any) -> Any:
    """`value` with every mapping as a new dict and every sequence as a new list."""
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in cast("Mapping[object, Any]", value).items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in cast("Iterable[Any]", value)]
    return value


def _view(value: Any) -> JsonValue:
    if isinstance(value, dict):
        return JsonObject(cast("dict[str, Any]", value))
    if isinstance(value, list):
        return tuple([_view(item) for item in cast("Iterable[Any]", value)])
    return cast("JsonValue", value)
