"""What docker-compose.yml promises of every container, read as compose itself reads it."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
COMPOSE = Path(sys.executable).with_name("docker-compose")
OURS = ("auth", "core", "ssx", "gateway-config")
ONCE = ("init-secrets", "init", "welcome", "welcomed")
OTHERS = ("gateway", "mariadb", "collector", "logs")
EVERY = (*OURS, *ONCE, *OTHERS)
AS_ROOT = {"collector"}  # it reads the engine's files; of root's rights it has that one only
PUBLISHED = {"gateway": "8000", "logs": "9428"}


def composed(**variables: str) -> dict[str, Any]:
    """The file with these variables, every default filled in."""
    environment = {"PATH": os.environ["PATH"], "HOME": "/nonexistent", **variables}
    command = [COMPOSE, "--env-file", "/dev/null", "config", "--format", "json"]
    done = subprocess.run(
        command, cwd=ROOT, env=environment, capture_output=True, text=True, check=True
    )
    assert done.stderr == ""
    result: dict[str, Any] = json.loads(done.stdout)
    return result


@pytest.fixture(scope="module")
def services() -> dict[str, Any]:
    """Every service of the file as it is without any variable."""
    found: dict[str, Any] = composed()["services"]
    return found


def test_these_are_all(services: dict[str, Any]) -> None:
    assert set(services) == set(EVERY)


@pytest.mark.parametrize("name", EVERY)
def test_a_container_can_do_little(services: dict[str, Any], name: str) -> None:
    service = services[name]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert "privileged" not in service
    assert service.get("cap_add", []) == (["DAC_READ_SEARCH"] if name in AS_ROOT else [])
    if name != "gateway":  # Kong's own image says which user it is: not root
        assert service["user"] == ("0:0" if name in AS_ROOT else "10001:10001")


@pytest.mark.parametrize("name", EVERY)
def test_a_container_has_its_share_and_no_more(services: dict[str, Any], name: str) -> None:
    limits = services[name]["deploy"]["resources"]["limits"]
    assert {"cpus", "memory", "pids"} <= set(limits)
    logging = services[name]["logging"]
    assert logging["driver"] == "json-file", "an engine that cannot reach a collector holds nobody"
    assert {"max-size", "max-file"} <= set(logging["options"])
    marked = logging["options"].get("tag") == "pyispyb"
    assert marked is (name not in {"collector", "logs", "welcome"})


@pytest.mark.parametrize("name", EVERY)
def test_a_container_is_started_again_or_runs_once(services: dict[str, Any], name: str) -> None:
    assert services[name]["restart"] == ("no" if name in ONCE else "unless-stopped")


@pytest.mark.parametrize("name", [*OURS, "gateway", "mariadb", "logs"])
def test_a_server_says_whether_it_is_well(services: dict[str, Any], name: str) -> None:
    check = services[name]["healthcheck"]
    assert check["test"][0] == "CMD"
    assert {"interval", "timeout", "retries", "start_period"} <= set(check)


@pytest.mark.parametrize(
    ("name", "waits_for"),
    [
        ("mariadb", {"init-secrets": "service_completed_successfully"}),
        (
            "init",
            {"init-secrets": "service_completed_successfully", "mariadb": "service_healthy"},
        ),
        ("auth", {"init": "service_completed_successfully"}),
        ("core", {"init": "service_completed_successfully", "auth": "service_healthy"}),
        ("ssx", {"init": "service_completed_successfully", "auth": "service_healthy"}),
        ("gateway-config", {"auth": "service_healthy"}),
        (
            "gateway",
            {
                "gateway-config": "service_healthy",
                "core": "service_healthy",
                "ssx": "service_healthy",
            },
        ),
        ("welcome", {"gateway": "service_healthy"}),
        ("welcomed", {"welcome": "service_completed_successfully"}),
        ("collector", {}),
    ],
)
def test_who_waits_for_whom(services: dict[str, Any], name: str, waits_for: dict[str, str]) -> None:
    found = services[name].get("depends_on", {})
    assert {other: how["condition"] for other, how in found.items()} == waits_for


@pytest.mark.parametrize("name", EVERY)
def test_what_is_published(services: dict[str, Any], name: str) -> None:
    ports = services[name].get("ports", [])
    assert [str(port["target"]) for port in ports] == ([PUBLISHED[name]] if ports else [])
    assert bool(ports) is (name in PUBLISHED)
    assert all(port["host_ip"] == "127.0.0.1" for port in ports), "a site opens it, not we"


@pytest.mark.parametrize(
    ("name", "networks"),
    [
        ("gateway", {"front", "back"}),
        ("logs", {"front", "back"}),
        ("mariadb", {"back"}),
        ("collector", {"back"}),
        ("welcome", {"back"}),
        ("init", {"back", "outward"}),
        *[(name, {"back", "outward"}) for name in OURS],
    ],
)
def test_who_is_on_which_network(services: dict[str, Any], name: str, networks: set[str]) -> None:
    assert set(services[name]["networks"]) == networks


def test_the_back_network_has_no_way_out_and_secrets_are_made_without_any() -> None:
    file = composed()
    assert {name: bool(one.get("internal")) for name, one in file["networks"].items()} == {
        "front": False,
        "back": True,
        "outward": False,
    }
    assert file["services"]["init-secrets"]["network_mode"] == "none"


@pytest.mark.parametrize("name", EVERY)
def test_a_service_sees_its_own_secrets_only(services: dict[str, Any], name: str) -> None:
    mounted = {mount["source"] for mount in services[name].get("volumes", [])}
    secret = {source for source in mounted if source.endswith("-secrets")}
    every = {"auth-secrets", "core-secrets", "ssx-secrets", "mariadb-secrets"}
    expected = {f"{name}-secrets"} & every if name not in {"init", "init-secrets"} else every
    assert secret == expected
    for mount in services[name].get("volumes", []):
        if mount["source"].endswith("-secrets") and name != "init-secrets":
            assert mount["read_only"] is True
    assert not any("docker.sock" in source for source in mounted)


@pytest.mark.parametrize("name", EVERY)
def test_no_secret_stands_in_the_environment(services: dict[str, Any], name: str) -> None:
    named = {
        key: value
        for key, value in services[name].get("environment", {}).items()
        if re.search(r"PASSWORD|SECRET|DATABASE_URL", key)
    }
    assert all(key.endswith("_FILE") and value.startswith("/") for key, value in named.items())


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("KONG_DATABASE", "off"),
        ("KONG_ADMIN_LISTEN", "127.0.0.1:8001"),
        ("KONG_ADMIN_GUI_LISTEN", "off"),
        ("KONG_PROXY_ACCESS_LOG", "off"),
        ("KONG_HEADERS", "X-Kong-Request-Id"),
        ("KONG_ERROR_DEFAULT_TYPE", "application/json"),
        ("KONG_ANONYMOUS_REPORTS", "off"),
        ("KONG_UNTRUSTED_LUA", "sandbox"),
        ("KONG_NGINX_HTTP_CLIENT_MAX_BODY_SIZE", "64m"),
        ("KONG_PORT_MAPS", "8000:8000"),
        ("KONG_DECLARATIVE_CONFIG", "/filled/kong.yml"),
    ],
)
def test_how_kong_is_set(services: dict[str, Any], key: str, value: str) -> None:
    assert services["gateway"]["environment"][key] == value


def test_kong_has_the_plugins_that_its_file_uses(services: dict[str, Any]) -> None:
    used = set(re.findall(r"- name: ([a-z-]+)\n +config:", (ROOT / "gateway/kong.yml").read_text()))
    used |= set(re.findall(r"name: (jwt|rate-limiting)\n", (ROOT / "gateway/kong.yml").read_text()))
    bundled = set(services["gateway"]["environment"]["KONG_PLUGINS"].split(","))
    assert used == bundled


@pytest.mark.parametrize(
    ("variables", "where", "value"),
    [
        ({}, ("services", "gateway", "image"), "kong:3.9"),
        ({"KONG_IMAGE": "kong:3.9.3"}, ("services", "gateway", "image"), "kong:3.9.3"),
        ({}, ("services", "core", "scale"), 1),
        ({"CORE_REPLICAS": "3"}, ("services", "core", "scale"), 3),
        ({"AUTH_REPLICAS": "2"}, ("services", "auth", "scale"), 2),
        ({"SSX_REPLICAS": "2"}, ("services", "ssx", "scale"), 2),
        ({}, ("services", "mariadb", "scale"), 1),
        ({"MARIADB": "0"}, ("services", "mariadb", "scale"), 0),
        ({}, ("services", "collector", "scale"), 1),
        ({"LOGS": "0"}, ("services", "collector", "scale"), 0),
        ({"LOGS": "0"}, ("services", "logs", "scale"), 0),
        ({}, ("secrets", "tls_key", "file"), "/dev/null"),
        ({"TLS_KEY": "/site/key.pem"}, ("secrets", "tls_key", "file"), "/site/key.pem"),
        ({}, ("secrets", "core_database_url", "file"), "/dev/null"),
    ],
)
def test_what_a_site_can_say(
    variables: dict[str, str], where: tuple[str, ...], value: object
) -> None:
    found: Any = composed(**variables)
    for key in where:
        found = found[key]
    assert found == value


def test_the_example_names_every_variable_with_its_default() -> None:
    file = (ROOT / "docker-compose.yml").read_text(encoding="utf-8")
    used = dict(re.findall(r"\$\{([A-Z_]+):-([^}]*)\}", file))
    assert set(re.findall(r"\$\{([A-Z_]+)", file)) == set(used), "each has a default"
    example = (ROOT / ".env.example").read_text(encoding="utf-8")
    named = dict(re.findall(r"^# ([A-Z_]+)=(\S*)", example, re.MULTILINE))
    without = {name: "" if value == "/dev/null" else value for name, value in used.items()}
    assert named == without
