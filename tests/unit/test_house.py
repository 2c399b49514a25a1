"""The rules of the house: who may import whom, what is public, what an import costs."""

import ast
import importlib
import json
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

import ultracart_conversation
from ultracart_conversation import models

PACKAGE = Path(ultracart_conversation.__file__).parent
LAYERS = [
    {"exchange", "limits", "clock"},
    {"errors"},
    {"_wire", "config"},
    {"models"},
    {"_sync", "changes", "delivery", "events", "state"},
    {"auth", "oauth"},
    {"_rest"},
    {"_archive", "archive"},
    {"client", "uploads"},
    {"_live", "dialect", "snapshot"},
    {"session"},
    {"_poll", "poller"},
    {"__init__", "__main__", "_cli", "cli", "demo", "login", "sandbox", "testing"},
]
"""Each line may import only from lines above it and from itself; the last one from everywhere."""
HEAVY = ["aiosqlite", "httpx", "pyarrow", "rich", "sqlalchemy", "starlette", "trio", "uvicorn", "websockets"]


def part_of(path: Path) -> str:
    return path.relative_to(PACKAGE).with_suffix("").parts[0]


def imports(path: Path) -> set[str]:
    """The parts of this package that a file imports, for type checking only or for real."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom):
            module = "ultracart_conversation." + (node.module or "") if node.level else node.module or ""
            names = [module] if module != "ultracart_conversation" else [f"{module}.{name.name}" for name in node.names]
        else:
            names = [name.name for name in node.names] if isinstance(node, ast.Import) else []
        found |= {name.split(".")[1] for name in names if name.startswith("ultracart_conversation.")}
    return found


FILES = [path for path in sorted(PACKAGE.rglob("*.py")) if part_of(path) != "sandbox"]


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_a_part_imports_only_from_its_layer_and_those_above(path: Path) -> None:
    part = part_of(path)
    rank = next(number for number, layer in enumerate(LAYERS) if part in layer)
    allowed = set().union(*LAYERS) if rank == len(LAYERS) - 1 else set().union(*LAYERS[: rank + 1]) | {part}
    assert imports(path) <= allowed


def test_the_sandbox_imports_nothing_of_the_client() -> None:
    for path in (PACKAGE / "sandbox").rglob("*.py"):
        tree = ast.walk(ast.parse(path.read_text()))
        modules = [(node.level, node.module or "") for node in tree if isinstance(node, ast.ImportFrom)]
        outside = [module for level, module in modules if level > 1 or module.startswith("ultracart_conversation")]
        assert outside == [], path


@pytest.mark.parametrize(
    ("library", "importer"), [("httpx", "_rest/transport.py"), ("websockets", "_live/protocol.py")]
)
def test_only_one_file_imports(library: str, importer: str) -> None:
    importers = {
        str(path.relative_to(PACKAGE))
        for path in FILES
        for node in ast.parse(path.read_text()).body
        for name in top_level_imports(node)
        if name.split(".")[0] == library
    }
    assert importers == {importer}


def top_level_imports(node: ast.stmt) -> list[str]:
    if isinstance(node, ast.ImportFrom):
        return [node.module or ""]
    return [name.name for name in node.names] if isinstance(node, ast.Import) else []


def public(module: ModuleType) -> set[str]:
    return {name for name, value in vars(module).items() if name[0] != "_" and not isinstance(value, ModuleType)}


@pytest.mark.parametrize("module", [ultracart_conversation, models])
def test_all_is_sorted_and_complete(module: ModuleType) -> None:
    assert module.__all__ == sorted(module.__all__)
    assert set(module.__all__) == public(module)


def test_every_model_is_public_but_two_that_would_hide_builtins() -> None:
    assert set(models.__all__) - set(ultracart_conversation.__all__) == {"Error", "Warning"}


def test_every_error_is_public() -> None:
    errors = importlib.import_module("ultracart_conversation.errors")
    raised = {name for name, value in vars(errors).items() if isinstance(value, type) and issubclass(value, Exception)}
    assert raised <= set(ultracart_conversation.__all__)


def test_every_public_thing_says_what_it_is() -> None:
    undocumented = [
        name
        for name in ultracart_conversation.__all__
        if isinstance(getattr(ultracart_conversation, name), type) and not getattr(ultracart_conversation, name).__doc__
    ]
    assert undocumented == []


def test_importing_the_package_is_cheap() -> None:
    code = "import json, sys, ultracart_conversation; print(json.dumps(sorted(sys.modules)))"
    run = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    loaded = {name.split(".")[0] for name in json.loads(run.stdout)}
    assert loaded.isdisjoint(HEAVY)
