"""A site's own auth service in the place of ours: its URL, its certificate, its health path."""

import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from pydantic import ValidationError
from tests.gateway.stand import ECHO, ROOT, Stand, wait_for_port
from tests.gateway.tokens import Key, bearer

from pyispyb_chassis.configuration import Suite
from pyispyb_gateway.document import plain, read
from pyispyb_gateway.fill import fill, values
from pyispyb_gateway.lint import lint
from pyispyb_gateway.settings import GatewaySettings


@pytest.fixture
def stands() -> Iterator[list[Stand]]:
    made: list[Stand] = []
    yield made
    for stand in made:
        stand.stop()


def site(folder: Path, url: str, certificate: Path | None = None, **settings: Any) -> Stand:
    """A gateway whose auth is at `url`, {} its port; the keys are where core listens."""
    stand = Stand(folder, [Key("now")], auth_url="{}", **settings)
    auth, core = (str(stand.ports[name]) for name in ("auth", "core"))
    text = stand.configuration.read_text().replace(auth, core)
    stand.configuration.write_text(text.replace('"{}"', f'"{url.format(auth)}"'))
    for name in ("core", "ssx"):
        stand.start_service(name)
    command = [sys.executable, str(ECHO), auth, "site", str(stand.jwks)]
    command += [] if certificate is None else [str(certificate)]
    stand.processes["auth"] = subprocess.Popen(command, stderr=subprocess.DEVNULL)
    wait_for_port(stand.ports["auth"])
    stand.start_gateway()
    return stand


def certificate(folder: Path, name: str) -> Path:
    """A key and a certificate for `name` that vouches for itself, in one file."""
    key = ec.generate_private_key(ec.SECP256R1())
    called = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder(called, called, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, SHA256())
    )
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    path = folder / f"{name}.pem"
    path.write_bytes(made.public_bytes(Encoding.PEM) + private)
    return path


@pytest.mark.parametrize(
    ("scheme", "signed_for", "health", "status"),
    [
        ("http", None, "/somewhere/else", 200),
        ("https", "localhost", "", 200),
        ("https", "other.example.org", "", 502),
    ],
)
def test_its_url(
    stands: list[Stand],
    tmp_path: Path,
    scheme: str,
    signed_for: str | None,
    health: str,
    status: int,
) -> None:
    file = certificate(tmp_path, signed_for) if signed_for else None
    trusted = {"auth_ca": str(file)} if file else {}
    stand = site(tmp_path, scheme + "://localhost:{}", file, auth_health_path=health, **trusted)
    stands.append(stand)
    answer = stand.ask("/auth/login", "POST", body=b"{}")
    assert answer.status == status
    if status == 200:
        assert answer.json["service"] == "site"
        assert answer.json["path"] == "/auth/login"
        assert answer.json["headers"]["host"] == f"localhost:{stand.ports['auth']}"
    assert stand.ask("/core/proposals", headers=bearer(stand.token)).status == 200


def test_a_stranger_in_its_place(stands: list[Stand], tmp_path: Path) -> None:
    """Its name is right, but nobody that the gateway trusts has signed for it."""
    (tmp_path / "trusted").mkdir()
    trusted = certificate(tmp_path / "trusted", "localhost")
    file = certificate(tmp_path, "localhost")
    stand = site(tmp_path, "https://localhost:{}", file, auth_ca=str(trusted), auth_health_path="")
    stands.append(stand)
    assert stand.ask("/auth/login", "POST", body=b'{"password": "x"}').status == 502


def test_without_a_health_path_it_is_found_dead_and_back(
    stands: list[Stand], tmp_path: Path
) -> None:
    stand = site(tmp_path, "http://localhost:{}", auth_health_path="")
    stands.append(stand)
    stand.processes["auth"].kill()
    stand.processes["auth"].wait()
    answers = [stand.ask("/auth/login") for _ in range(10)]
    assert {answer.status for answer in answers} <= {502, 503}
    assert max(answer.took for answer in answers) < 4
    stand.start_service("auth")
    until = time.monotonic() + 20
    while (found := stand.ask("/auth/login").status) != 200 and time.monotonic() < until:
        time.sleep(0.1)
    assert found == 200


@pytest.mark.parametrize(
    ("settings", "protocol", "target", "host", "verified", "checked"),
    [
        ({}, "http", "127.0.0.1:8101", "auth", None, "/auth/health/live"),
        (
            {"auth_url": "https://login.example.org", "auth_health_path": ""},
            "https",
            "login.example.org:443",
            "login.example.org",
            True,
            None,
        ),
        (
            {"auth_url": "http://login:9000", "auth_health_path": "/up"},
            "http",
            "login:9000",
            "login:9000",
            None,
            "/up",
        ),
    ],
)
def test_in_the_file_for_kong(
    settings: dict[str, str],
    protocol: str,
    target: str,
    host: str,
    verified: bool | None,  # noqa: FBT001
    checked: str | None,
) -> None:
    given = values(GatewaySettings.model_validate(settings), Suite(), [])
    tree = plain(fill(read(ROOT / "gateway" / "kong.yml"), given).tree)
    assert lint(fill(read(ROOT / "gateway" / "kong.yml"), given)) == []
    [service] = [one for one in tree["services"] if one["name"] == "auth"]
    [upstream] = [one for one in tree["upstreams"] if one["name"] == "auth"]
    assert (service["protocol"], service.get("tls_verify")) == (protocol, verified)
    assert "protocol" not in tree["services"][0]
    assert upstream["targets"] == [{"target": target}]
    assert upstream["host_header"] == host
    active = upstream["healthchecks"]["active"]
    assert (active["type"], active.get("http_path")) == (protocol, checked)
    intervals = {active["healthy"]["interval"], active["unhealthy"]["interval"]}
    assert intervals == ({0} if checked is None else {1})


@pytest.mark.parametrize(
    "settings",
    [
        {"auth_url": "login.example.org"},
        {"auth_url": "ftp://login.example.org"},
        {"auth_url": "https://"},
        {"auth_url": "https://login.example.org/auth"},
        {"auth_url": "https://user:password@login.example.org"},
        {"auth_health_path": "up"},
        {"auth_health_path": "/up?x=1"},
    ],
)
def test_what_is_no_url_and_no_path(settings: dict[str, str]) -> None:
    with pytest.raises(ValidationError):
        GatewaySettings.model_validate(settings)
