"""Our operations and the contract's are the same, in both directions."""

import inspect
import json
from types import NoneType
from typing import Any, get_type_hints

import httpx
import pytest

from tests.contract.contract import OPERATIONS, SCHEMAS, example, whole
from ultracart_conversation import ConversationClient, Limits, models
from ultracart_conversation._rest import routes
from ultracart_conversation._rest.operation import Operation

ROUTES: dict[str, Operation[Any]] = {
    value.name: value for value in vars(routes).values() if isinstance(value, Operation)
}
BEYOND = {"aclose", "iter_conversations", "iter_messages", "send", "with_options"}
"""Methods of ours that are not operations of the service."""


def test_every_operation_has_its_route_and_every_route_its_operation() -> None:
    assert ROUTES.keys() == OPERATIONS.keys()


def test_every_operation_has_its_method_and_every_method_its_operation() -> None:
    methods = {name for name, _ in inspect.getmembers(ConversationClient, inspect.isfunction) if name[0] != "_"}
    assert methods - BEYOND == OPERATIONS.keys()


@pytest.mark.parametrize("name", OPERATIONS)
def test_method_path_and_return_type(name: str) -> None:
    operation, route = OPERATIONS[name], ROUTES[name]
    assert (route.method, route.path) == (operation["method"], operation["path"])
    returns = operation["returns"]
    assert route.returns is (getattr(models, returns) if returns else NoneType)
    assert get_type_hints(getattr(ConversationClient, name))["return"] is route.returns


@pytest.mark.parametrize("name", OPERATIONS)
def test_the_arguments_are_the_contracts_in_its_order(name: str) -> None:
    signature = inspect.signature(getattr(ConversationClient, name))
    ours = {key: parameter for key, parameter in signature.parameters.items() if key != "self"}
    assert list(ours) == [param["python"] for param in OPERATIONS[name]["params"]]
    required = [key for key, parameter in ours.items() if parameter.default is inspect.Parameter.empty]
    assert required == [param["python"] for param in OPERATIONS[name]["params"] if param["required"]]


@pytest.mark.anyio
@pytest.mark.parametrize("name", OPERATIONS)
async def test_what_goes_over_the_wire(name: str) -> None:
    sent: list[httpx.Request] = []

    async def answer(request: httpx.Request) -> httpx.Response:
        sent.append(request)
        return httpx.Response(200, json={"success": True})

    params = OPERATIONS[name]["params"]
    arguments = {param["python"]: _argument(param) for param in params}
    transport = httpx.MockTransport(answer)
    async with ConversationClient("key", limits=Limits.unlimited(), transport=transport) as client:
        await getattr(client, name)(**arguments)

    (request,) = sent
    path = OPERATIONS[name]["path"].format(
        **{param["name"]: _plain(param) for param in params if param["in"] == "path"}
    )
    assert (request.method, request.url.path) == (OPERATIONS[name]["method"], "/rest/v2" + path)
    assert dict(request.url.params) == {param["name"]: str(_plain(param)) for param in params if param["in"] == "query"}
    assert request.headers["X-UltraCart-Api-Version"] == "2017-03-01"
    assert request.headers["x-ultracart-simple-key"] == "key"
    body = next((whole(param["type"]) for param in params if param["in"] == "body"), None)
    assert json.loads(request.content or "null") == body
    assert request.headers.get("Content-Type") == ("application/json" if body else None)


def _plain(param: dict[str, Any]) -> Any:
    return {"string": "text", "integer": 7}[param["type"]]


def _argument(param: dict[str, Any]) -> Any:
    if param["type"] in SCHEMAS:
        return getattr(models, param["type"]).from_dict(example(param))
    return _plain(param)
