"""How the contract is made: from marks, docstrings, arguments, and what routes and nouns tell."""

from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from openapi_spec_validator import OpenAPIV31SpecValidator

from pyispyb_chassis.openapi import contract_of


@pytest.fixture
def app(client: FlaskClient) -> Flask:
    return client.application


@pytest.fixture
def paths(app: Flask) -> Any:
    return contract_of(app)["paths"]


def test_it_is_valid(app: Flask) -> None:
    OpenAPIV31SpecValidator(contract_of(app)).validate()


@pytest.mark.parametrize(
    ("path", "method", "security", "permission"),
    [
        ("/hello/things", "get", [{"token": []}], None),
        ("/hello/things", "post", [], None),
        ("/hello/things/{thing_id}", "get", [{"token": []}], "runs:read"),
        ("/hello/version", "get", [], None),
    ],
)
def test_who_may_call_is_what_the_marks_say(
    paths: Any, path: str, method: str, security: list[Any], permission: str | None
) -> None:
    operation = paths[path][method]
    assert operation["security"] == security
    assert operation.get("x-permission") == permission


def test_a_docstring_is_summary_and_description(paths: Any) -> None:
    operation = paths["/hello/things"]["get"]
    assert operation["summary"] == "Say who calls."
    assert operation["description"] == "Longer than a line."


def test_an_argument_of_the_path_is_a_parameter(paths: Any) -> None:
    (parameter,) = paths["/hello/things/{thing_id}"]["get"]["parameters"]
    assert parameter == {
        "name": "thing_id",
        "in": "path",
        "required": True,
        "schema": {"type": "integer"},
    }


def test_the_pages_that_show_it_are_no_part_of_it(paths: Any) -> None:
    assert not [path for path in paths if "docs" in path or "openapi" in path]


def test_what_routes_and_nouns_tell_is_laid_over(app: Flask) -> None:
    told = {
        "paths": {
            "/hello/things": {"get": {"summary": "told", "responses": {"200": {"description": ""}}}}
        },
        "schemas": {"Thing": {"type": "object"}},
    }
    app.extensions["pyispyb_openapi"] = [lambda: told]
    contract = contract_of(app)
    assert contract["paths"]["/hello/things"]["get"]["summary"] == "told"
    assert contract["paths"]["/hello/things"]["post"]["summary"] == "Send a thing."
    assert contract["components"]["schemas"]["Thing"] == {"type": "object"}


def test_it_is_built_once(client: FlaskClient, app: Flask) -> None:
    asked: list[None] = []

    def tell() -> dict[str, Any]:
        asked.append(None)
        return {"paths": {}, "schemas": {}}

    app.extensions["pyispyb_openapi"] = [tell]
    first, second = (client.get("/hello/openapi.json").data for _ in range(2))
    assert first == second
    assert len(asked) == 1
