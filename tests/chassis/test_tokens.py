"""Which tokens are trusted, and how far: a table of everything that is not one."""

import time
from pathlib import Path
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from tests.cast import Issuing
from tests.chassis.conftest import trusted
from tests.token_forms import BAD, BAD_HEADERS, NOW, Make, signed, usual, with_claims

from pyispyb_chassis.configuration import Issuer
from pyispyb_chassis.errors import Unauthenticated, Unavailable
from pyispyb_chassis.principal import Principal
from pyispyb_chassis.tokens import Verifier


@pytest.mark.parametrize("make", BAD.values(), ids=BAD.keys())
def test_what_is_no_access_token_is_refused(issuing: Issuing, make: Make) -> None:
    with pytest.raises(Unauthenticated):
        verified(issuing, make(issuing))


@pytest.mark.parametrize(
    "make",
    [
        with_claims(),
        with_claims(exp=NOW + 3600.5, iat=NOW - 0.5),
        with_claims(nbf=NOW - 10),
        with_claims(aud="anybody"),
        with_claims(extra={"deep": [1, 2]}),
        signed({"typ": "at+jwt"}),
        signed({"typ": None}),
    ],
)
def test_what_is_one_is_taken(issuing: Issuing, make: Make) -> None:
    assert verified(issuing, make(issuing)).login == "alice"


def test_the_clocks_may_be_a_second_apart(issuing: Issuing) -> None:
    """Issued half a second from now by another machine's clock."""
    soon = time.time() + 0.5
    assert verified(issuing, issuing.token("alice", iat=soon, nbf=soon)).login == "alice"


@pytest.mark.parametrize("headers", [*BAD_HEADERS, ["Bearer TOKEN\n"]], ids=str)
def test_one_header_in_one_form(issuing: Issuing, headers: list[str]) -> None:
    verifier = Verifier({"suite": trusted(issuing)})
    token = issuing.token("alice")
    assert verifier.verify([f"Bearer {token}"]).login == "alice"
    with pytest.raises(Unauthenticated):
        verifier.verify([header.replace("TOKEN", token) for header in headers])


def test_a_known_token_ends_with_its_expiry(issuing: Issuing) -> None:
    verifier = Verifier({"suite": trusted(issuing)})
    header = f"Bearer {issuing.token('alice', exp=time.time() + 2)}"
    verifier.verify([header])
    time.sleep(3.3)
    with pytest.raises(Unauthenticated):
        verifier.verify([header])


@pytest.mark.parametrize(
    ("wanted", "aud", "login"),
    [
        (None, None, "alice"),
        ("ispyb", "ispyb", "alice"),
        ("ispyb", ["other", "ispyb"], "alice"),
        ("ispyb", None, None),
        ("ispyb", "other", None),
        ("ispyb", ["other"], None),
        ("ispyb", "ispyb2", None),
        ("ispyb", {"ispyb": 1}, None),
        ("ispyb", 1, None),
    ],
)
def test_the_audience(issuing: Issuing, wanted: str | None, aud: Any, login: str | None) -> None:
    block = trusted(issuing).model_copy(update={"audience": wanted})
    token = issuing.token("alice", aud=aud)
    if login is None:
        with pytest.raises(Unauthenticated):
            verified(issuing, token, block)
    else:
        assert verified(issuing, token, block).login == login


SERVICE = {"client_id": "mxcube", "scope": "runs:read runs:write", "beamlines": ["BL1", 2]}
EVERYTHING = {"groups": ["administrators", "goods"], "scope": "runs:read", "beamlines": ["BL1"]}


@pytest.mark.parametrize(
    ("block", "sub", "claims", "said"),
    [
        # What is not believed gives nothing, and what is not said narrows nothing.
        ({}, "alice", {}, {"scope": None, "beamlines": set(), "groups": set()}),
        (
            {"believes": frozenset()},
            "alice",
            EVERYTHING,
            {"scope": None, "beamlines": set(), "groups": set(), "administrator": False},
        ),
        (
            {},
            "alice",
            EVERYTHING,
            {
                "scope": {"runs:read"},
                "beamlines": {"BL1"},
                "groups": {"administrators", "goods"},
                "administrator": True,
            },
        ),
        ({"administrators": False}, "alice", EVERYTHING, {"administrator": False}),
        ({"believes": frozenset({"scope"})}, "alice", EVERYTHING, {"administrator": False}),
        ({}, "alice", {"administrator": True}, {"administrator": False}),
        ({}, "alice", {"scope": ""}, {"scope": set()}),
        ({}, "alice", {"scope": ["a", "b"]}, {"scope": {"a", "b"}}),
        ({}, "alice", {"scope": 7}, {"scope": set()}),
        ({}, "alice", {"groups": "administrators"}, {"administrator": True}),
        # A service account is one that its issuer may speak for, under its own name.
        (
            {},
            "mxcube",
            SERVICE,
            {"service": True, "scope": {"runs:read", "runs:write"}, "beamlines": {"BL1"}},
        ),
        ({"services": False}, "mxcube", SERVICE, {"service": False}),
        ({}, "alice", SERVICE, {"service": False}),
        ({}, "mxcube", {"client_id": "mxcube"}, {"service": True, "scope": set()}),
        ({"believes": frozenset()}, "mxcube", SERVICE, {"service": True, "scope": set()}),
        # What only takes away is honoured whoever says it, and nonsense leaves nothing.
        (
            {"believes": frozenset()},
            "alice",
            {"pat": "1", "scope": "runs:read"},
            {"scope": {"runs:read"}, "service": False},
        ),
        ({}, "alice", {"pat": "1"}, {"scope": set()}),
        ({}, "alice", {}, {"only_beamlines": None}),
        (
            {},
            "alice",
            {"beamlines": ["BL1", "BL2"], "only_beamlines": ["BL2", "BL3"]},
            {"beamlines": {"BL2"}, "only_beamlines": {"BL2", "BL3"}},
        ),
        (
            {"believes": frozenset()},
            "alice",
            {"beamlines": ["BL1"], "only_beamlines": 7},
            {"beamlines": set(), "only_beamlines": set()},
        ),
    ],
)
def test_how_far_an_issuer_is_believed(
    issuing: Issuing,
    block: dict[str, Any],
    sub: str,
    claims: dict[str, Any],
    said: dict[str, Any],
) -> None:
    caller = verified(
        issuing, issuing.token(sub, **claims), trusted(issuing).model_copy(update=block)
    )
    assert {name: getattr(caller, name) for name in said} == said


@pytest.mark.parametrize(
    ("claim", "pattern", "claims", "login"),
    [
        ("preferred_username", r"\w+", {"preferred_username": "carol"}, "carol"),
        ("preferred_username", r"\w+", {}, None),
        ("preferred_username", r"\w+", {"preferred_username": 3}, None),
        ("sub", r"[a-z]{1,3}", {}, None),
        ("sub", r"bob|alice", {}, "alice"),
        ("sub", r"alic", {}, None),
    ],
)
def test_the_login_is_the_claim_that_the_issuer_names(
    issuing: Issuing, claim: str, pattern: str, claims: dict[str, Any], login: str | None
) -> None:
    block = trusted(issuing).model_copy(update={"login_claim": claim, "login_pattern": pattern})
    token = issuing.token("alice", **claims)
    if login is None:
        with pytest.raises(Unauthenticated):
            verified(issuing, token, block)
    else:
        assert verified(issuing, token, block).login == login


def test_each_issuer_signs_for_itself_only(issuing: Issuing, tmp_path: Path) -> None:
    """The same kid, and still the one's key opens nothing in the other's name."""
    other = Issuing(tmp_path, issuer="https://other.example.org", kid=issuing.kid)
    verifier = Verifier({"suite": trusted(issuing), "other": trusted(other)})
    assert verifier.verify([f"Bearer {issuing.token('alice')}"]).issuer == "suite"
    assert verifier.verify([f"Bearer {other.token('alice')}"]).issuer == "other"
    with pytest.raises(Unauthenticated):
        verifier.verify([f"Bearer {other.token('alice', iss=issuing.issuer)}"])


@pytest.mark.parametrize("algorithm", ["RS256", "EdDSA"])
def test_other_algorithms_where_they_are_agreed(
    issuing: Issuing, tmp_path: Path, algorithm: str
) -> None:
    from cryptography.hazmat.primitives.asymmetric import ed25519

    key: Any = (
        rsa.generate_private_key(65537, 2048)
        if algorithm == "RS256"
        else ed25519.Ed25519PrivateKey.generate()
    )
    pem = tmp_path / "key.pem"
    pem.write_bytes(
        key.public_key().public_bytes(
            serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
        )
    )
    block = trusted(issuing).model_copy(update={"algorithms": (algorithm,), "pem_file": pem})
    token = jwt.encode(usual(issuing), key, algorithm=algorithm, headers={"kid": issuing.kid})
    assert verified(issuing, token, block).login == "alice"
    with pytest.raises(Unauthenticated):
        verified(issuing, issuing.token("alice"), block)


@pytest.mark.parametrize("content", [None, "", "no key", "-----BEGIN PUBLIC KEY-----\nAAAA\n"])
def test_a_pem_file_that_is_not_there_yet_is_waited_for(
    issuing: Issuing, tmp_path: Path, content: str | None
) -> None:
    pem = tmp_path / "late.pem"
    if content is not None:
        pem.write_text(content)
    block = trusted(issuing).model_copy(update={"pem_file": pem})
    verifier = Verifier({"suite": block})
    header = f"Bearer {issuing.token('alice')}"
    with pytest.raises(Unavailable):
        verifier.verify([header])
    pem.write_bytes(issuing.pem_file.read_bytes())
    time.sleep(2.1)
    assert verifier.verify([header]).login == "alice"


def test_without_an_issuer_nobody_is_known(issuing: Issuing) -> None:
    with pytest.raises(Unauthenticated):
        Verifier({}).verify([f"Bearer {issuing.token('alice')}"])


def verified(issuing: Issuing, token: str, block: Issuer | None = None) -> Principal:
    verifier = Verifier({"suite": block or trusted(issuing)})
    return verifier.verify([f"Bearer {token}"])
