"""Each committed contract: valid OpenAPI 3.1, equal to the code, open where it says so."""

import json
from importlib import import_module
from pathlib import Path
from typing import Any

import orjson
import pytest
from flask import Flask
from openapi_spec_validator import OpenAPIV31SpecValidator

from pyispyb_chassis.configuration import load
from pyispyb_chassis.openapi import contract_of
from pyispyb_local.plan import SERVICES

ROOT = Path(__file__).parents[2]

# Whatever else is open to somebody without a token is a hole.
OPEN = {
    "auth": {
        ("get", "/.well-known/oauth-authorization-server/auth"),
        ("get", "/auth/.well-known/oauth-authorization-server"),
        ("get", "/auth/.well-known/jwks.json"),
        ("get", "/auth/.well-known/oauth-authorization-server"),
        ("get", "/auth/config"),
        ("get", "/auth/health/live"),
        ("get", "/auth/version"),
        ("get", "/auth/browser/{name}"),
        ("get", "/auth/browser/{name}/callback"),
        ("post", "/auth/browser/tokens"),
        ("post", "/auth/login"),
        ("post", "/auth/logout"),
        ("post", "/auth/refresh"),
        ("post", "/auth/revoke"),
        ("post", "/auth/token"),
    },
    "core": {
        ("get", "/core/health/live"),
        ("get", "/core/links/{token}"),
        ("get", "/core/version"),
    },
    "ssx": {
        ("get", "/ssx/health/live"),
        ("get", "/ssx/links/{token}"),
        ("get", "/ssx/version"),
    },
}


@pytest.fixture(scope="module", params=SERVICES)
def service(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def app(service: str, tmp_path_factory: pytest.TempPathFactory) -> Flask:
    """The service's app under the shipped configuration."""
    state = tmp_path_factory.mktemp("state")
    variables = {"ISPYB_STATE": str(state), "ISPYB_AUTH__PROVIDERS": "{}"}
    configuration = load(ROOT / "ispyb.toml", variables)
    made: Flask = import_module(f"pyispyb_{service}.app").create_app(configuration)
    return made


@pytest.fixture(scope="module")
def contract(app: Flask) -> dict[str, Any]:
    """As a client reads it: plain JSON."""
    return dict(orjson.loads(orjson.dumps(contract_of(app))))


def operations(contract: dict[str, Any]) -> list[tuple[str, str, dict[str, Any]]]:
    methods = {"get", "put", "post", "patch", "delete"}
    return [
        (method, path, operation)
        for path, item in contract["paths"].items()
        for method, operation in item.items()
        if method in methods
    ]


def test_the_committed_contract_is_what_the_code_says(
    service: str, contract: dict[str, Any]
) -> None:
    committed = json.loads((ROOT / f"services/{service}/openapi.json").read_text())
    assert committed == contract, "run `make contracts` and read the difference"


def test_the_service_serves_it(service: str, app: Flask, contract: dict[str, Any]) -> None:
    answer = app.test_client().get(f"/{service}/openapi.json")
    assert answer.get_json() == contract


def test_it_is_valid(contract: dict[str, Any]) -> None:
    assert contract["openapi"].startswith("3.1")
    OpenAPIV31SpecValidator(contract).validate()


def test_every_operation_says_in_a_line_what_it_does(contract: dict[str, Any]) -> None:
    silent = [
        f"{method} {path}"
        for method, path, operation in operations(contract)
        if not operation["summary"].strip()
    ]
    assert silent == []


def test_every_operation_shows_the_one_shape_of_a_fault(contract: dict[str, Any]) -> None:
    for method, path, operation in operations(contract):
        fault = operation["responses"]["default"]
        assert fault == {"$ref": "#/components/responses/Problem"}, f"{method} {path}"


def test_what_is_sent_is_described(contract: dict[str, Any]) -> None:
    """A POST without a body is one that acts on what its path names, or on the bearer."""
    without = {
        f"{method} {path}"
        for method, path, operation in operations(contract)
        if method in {"post", "put", "patch"} and "requestBody" not in operation
    }
    assert without <= {"post /ssx/runs/{run_id}/close", "post /auth/logins/{login}/revoke"}


def test_only_what_is_listed_here_is_open(service: str, contract: dict[str, Any]) -> None:
    unguarded = {
        (method, path)
        for method, path, operation in operations(contract)
        if operation["security"] == []
    }
    assert unguarded == OPEN[service]
