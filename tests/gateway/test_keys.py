"""The issuers' keys: fetched by URL, read from a file, waited for, and refused with a reason."""

import json
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from jwt.algorithms import ECAlgorithm, OKPAlgorithm, RSAAlgorithm
from tests.gateway.stand import ECHO, wait_for_port
from tests.gateway.tokens import Key
from tests.peers.ports import free_port

from pyispyb_chassis.configuration import Issuer
from pyispyb_gateway.keys import NoKeys, fetch, load, web_key

RSA = rsa.generate_private_key(65537, 2048).public_key()
ED25519 = ed25519.Ed25519PrivateKey.generate().public_key()
P384 = ec.generate_private_key(ec.SECP384R1()).public_key()
KEY = Key("es")


class Server:
    """A key server whose list of keys a test writes."""

    def __init__(self, folder: Path) -> None:
        self.file = folder / "jwks.json"
        self.port = free_port()
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        command = [sys.executable, str(ECHO), str(self.port), "auth", str(self.file)]
        self.process = subprocess.Popen(command)
        wait_for_port(self.port)

    def stop(self) -> None:
        if self.process:
            self.process.kill()
            self.process.wait()

    def issuer(self, **fields: Any) -> Issuer:
        url = f"http://127.0.0.1:{self.port}/auth/.well-known/jwks.json"
        return Issuer(issuer=f"http://{self.port}", jwks_url=url, **fields)


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    found = Server(tmp_path)
    yield found
    found.stop()


def listed(algorithm: str, key: Any, **fields: Any) -> dict[str, Any]:
    makers: dict[str, Any] = {"ES256": ECAlgorithm, "RS256": RSAAlgorithm, "EdDSA": OKPAlgorithm}
    written = json.loads(makers[algorithm].to_jwk(key))
    written.pop("key_ops", None)
    return {**written, "kid": algorithm.lower(), "alg": algorithm, "use": "sig"} | fields


@pytest.mark.parametrize(
    ("algorithm", "key"),
    [("ES256", KEY.private.public_key()), ("RS256", RSA), ("EdDSA", ED25519)],
)
def test_each_algorithm(server: Server, algorithm: str, key: Any) -> None:
    server.file.write_text(json.dumps({"keys": [listed(algorithm, key)]}))
    server.start()
    [found] = fetch({"site": server.issuer(algorithms=[algorithm])}, within=5)
    assert (found["key"], found["algorithm"]) == (algorithm.lower(), algorithm)
    assert (
        found["rsa_public_key"]
        == key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
    )
    assert web_key(found) == listed(algorithm, key)


def test_keys_of_other_kinds_are_left_out(server: Server) -> None:
    keys = [listed("ES256", KEY.private.public_key()), listed("RS256", RSA)]
    keys.append(listed("ES256", KEY.private.public_key(), kid="enc", use="enc"))
    server.file.write_text(json.dumps({"keys": keys}))
    server.start()
    assert [key["key"] for key in fetch({"site": server.issuer()}, within=5)] == ["es256"]


@pytest.mark.parametrize(
    ("keys", "reason"),
    [
        ([], "it lists no key"),
        ([listed("RS256", RSA)], "no key for"),
        ([listed("ES256", KEY.private.public_key(), kid=None)], "without kid"),
        ([listed("ES256", KEY.private.public_key(), x="AA")], "cannot be read"),
        ([listed("ES256", KEY.private.public_key())] * 2, "the same kid in two keys: es256"),
    ],
)
def test_bad_list(server: Server, keys: list[dict[str, Any]], reason: str) -> None:
    server.file.write_text(json.dumps({"keys": keys}))
    server.start()
    with pytest.raises(NoKeys, match=reason):
        fetch({"site": server.issuer()}, within=0.5)


def test_two_issuers_with_the_same_kid(tmp_path: Path) -> None:
    file = tmp_path / "key.pem"
    file.write_text(KEY.pem)
    issuers = {
        name: Issuer(issuer=name, pem_file=file, kid="es", audience="ispyb") for name in ("a", "b")
    }
    with pytest.raises(NoKeys, match="the same kid"):
        fetch(issuers, within=1)


def test_a_server_that_is_not_up_yet_is_waited_for(server: Server) -> None:
    server.file.write_text(json.dumps({"keys": [KEY.web_key]}))
    later = threading.Timer(0.8, server.start)
    later.start()
    started = time.monotonic()
    assert [key["key"] for key in fetch({"site": server.issuer()}, within=20)] == ["es"]
    assert time.monotonic() - started >= 0.8
    later.join()


def test_a_server_that_never_comes_up(server: Server) -> None:
    started = time.monotonic()
    with pytest.raises(NoKeys, match=r"issuers\.site: no keys at http://127\.0\.0\.1"):
        fetch({"site": server.issuer()}, within=0.6)
    assert time.monotonic() - started < 15


@pytest.mark.parametrize(
    ("text", "reason"),
    [("", "not a key for"), ("-----BEGIN X-----", "not a key for"), (None, "cannot be read")],
)
def test_bad_file(tmp_path: Path, text: str | None, reason: str) -> None:
    file = tmp_path / "key.pem"
    if text is not None:
        file.write_text(text)
    with pytest.raises(NoKeys, match=reason):
        fetch({"site": Issuer(issuer="x", pem_file=file, kid="k")}, within=1)


@pytest.mark.parametrize(
    ("key", "algorithm"),
    [(P384, "ES256"), (RSA, "ES256"), (ED25519, "RS256"), (RSA, "EdDSA"), (RSA, "HS256")],
)
def test_a_key_of_another_kind(key: Any, algorithm: str) -> None:
    pem = key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
    with pytest.raises(NoKeys, match=f"not a key for {algorithm}"):
        load(pem, algorithm)


def test_no_issuer() -> None:
    with pytest.raises(NoKeys, match="no issuer is configured"):
        fetch({}, within=1)
