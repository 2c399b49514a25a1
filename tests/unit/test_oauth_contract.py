"""OAuth's schemas and forms are the contract's."""

import json
from pathlib import Path
from typing import Any, get_args, get_type_hints

import attrs
import pytest

from ultracart_conversation.auth import OAuthForm
from ultracart_conversation.oauth import forms, tokens

CONTRACT: dict[str, Any] = json.loads((Path(__file__).parents[1] / "contract" / "contract.json").read_text())
MODELS = {name: value for name, value in vars(tokens).items() if name.startswith("Oauth")}
TYPES = {"string": str, "integer": int, "boolean": bool}
FORMS: dict[str, list[OAuthForm]] = {
    "oauth_access_token": [
        forms.refresh("a", "b"),
        forms.authorization_code("a", "b", redirect_uri="c"),
        forms.device_code("a", "b"),
    ],
    "oauth_device_authorize": [forms.device_authorization("a", scope="b")],
    "oauth_revoke": [forms.revocation("a", "b")],
}


def test_every_reply_has_its_model() -> None:
    returned = {operation["returns"] for operation in CONTRACT["oauth_operations"].values()} - {None}
    assert returned == MODELS.keys()


@pytest.mark.parametrize("name", MODELS)
def test_the_fields_are_the_schemas(name: str) -> None:
    model = MODELS[name]
    hints = get_type_hints(model)
    ours = {field.name: get_args(hints[field.name])[0] for field in attrs.fields(model) if field.name != "extra"}
    assert ours == {field: TYPES[kind["type"]] for field, kind in CONTRACT["schemas"][name].items()}


@pytest.mark.parametrize(("operation", "form"), [(name, form) for name, each in FORMS.items() for form in each])
def test_the_forms_are_the_operations(operation: str, form: OAuthForm) -> None:
    contract = CONTRACT["oauth_operations"][operation]
    assert (form.operation, "POST", form.path) == (operation, contract["method"], contract["path"])
    names = {param["name"] for param in contract["params"] if param["in"] == "form"}
    required = {param["name"] for param in contract["params"] if param["required"]}
    assert required <= form.fields.keys() <= names
    assert "b" not in repr(form).replace("OAuthForm", "").replace("repeatable", "").replace("begin", "")
