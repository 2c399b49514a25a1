"""Holds answers and frames to the contract: every field, type and enum value that UltraCart's own client knows."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

CONTRACT = Path(__file__).parents[2] / "contract" / "contract.json"


class Contract:
    """What UltraCart's own client knows: every field, type and enum value."""

    def __init__(self) -> None:
        contract = json.loads(CONTRACT.read_text())
        self.schemas: dict[str, dict[str, Any]] = contract["schemas"]
        self.operations: dict[str, dict[str, Any]] = contract["operations"]
        self.seed_operations: list[str] = contract["seed_operations"]

    def complaints(self, schema: str, value: object, where: str = "") -> list[str]:
        """What is wrong with `value` as an instance of `schema`; empty when nothing is."""
        where = where or schema
        if not isinstance(value, Mapping):
            return [f"{where}: {value!r} is not an object"]
        fields = {each.get("wire", name): each for name, each in self.schemas[schema].items()}
        found: list[str] = []
        for name, content in value.items():
            if name not in fields:
                found.append(f"{where}.{name}: unknown field")
            else:
                found += self._of_type(fields[name]["type"], content, f"{where}.{name}")
                found += self._of_enum(fields[name].get("enum"), content, f"{where}.{name}")
        return found

    def _of_type(self, kind: object, content: object, where: str) -> list[str]:
        if isinstance(kind, dict):
            if not isinstance(content, list):
                return [f"{where}: {content!r} is not a list"]
            return [each for item in content for each in self._of_type(kind["list"], item, f"{where}[]")]
        if isinstance(kind, str) and kind in self.schemas:
            return self.complaints(kind, content, where)
        return [] if type(content) in _TYPES[str(kind)] else [f"{where}: {content!r} is not {kind}"]

    @staticmethod
    def _of_enum(allowed: list[str] | None, content: object, where: str) -> list[str]:
        return [] if allowed is None or content in allowed else [f"{where}: {content!r} is not in the enum"]


_TYPES: dict[str, tuple[type, ...]] = {
    "string": (str,),
    "integer": (int,),
    "number": (int, float),
    "boolean": (bool,),
}
