"""One admitted request, and what can be read from it."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from .envelope import Json, Refusal
from .queues import Agent


@dataclass(frozen=True, slots=True)
class Call:
    """One admitted request."""

    agent: Agent
    arguments: Mapping[str, str]
    query: Mapping[str, str]
    body: bytes

    @property
    def conversation_uuid(self) -> str:
        return self.arguments["conversation_uuid"]

    def text(self, name: str) -> str | None:
        """An optional text of the body; Refusal 400 when it is something else."""
        value: object = self.json().get(name)
        if value is not None and not isinstance(value, str):
            raise Refusal(400, f"{name} must be a string.")
        return value

    def texts(self, name: str) -> list[str]:
        """An optional list of texts of the body; Refusal 400 when it is something else."""
        values: list[Any] | str | float = self.json().get(name) or []
        if not isinstance(values, list) or not all(isinstance(each, str) for each in values):
            raise Refusal(400, f"{name} must be a list of strings.")
        return values

    def integer(self, name: str, default: int | None = None) -> int | None:
        text = self.query.get(name)
        return default if text is None else as_integer(name, text)

    def positive(self, name: str) -> int | None:
        """An optional number of the query; Refusal 400 when it is below 1."""
        number = self.integer(name)
        if number is not None and number < 1:
            raise Refusal(400, f"{name} must be positive.")
        return number

    def json(self) -> Json:
        """The body as an object; `{}` without one, Refusal 400 when it is anything else."""
        try:
            content: Json | list[Any] | str | float | None = json.loads(self.body) if self.body else {}
        except ValueError:
            raise Refusal(400, "The request body is not valid JSON.") from None
        if not isinstance(content, dict):
            raise Refusal(400, "The request body must be a JSON object.")
        return content


def as_integer(name: str, text: str) -> int:
    """Refusal 400 for anything else."""
    try:
        return int(text)
    except ValueError:
        raise Refusal(400, f"{name} must be an integer.") from None
