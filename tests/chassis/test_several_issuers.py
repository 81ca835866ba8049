"""What a token of one issuer can never gain, because only another may give it."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from tests.cast import Issuing

from pyispyb_chassis.administrators import is_administrator
from pyispyb_chassis.configuration import Administrators, Issuer
from pyispyb_chassis.errors import Unauthenticated
from pyispyb_chassis.principal import Principal
from pyispyb_chassis.revocations import Revoked
from pyispyb_chassis.tokens import Verifier

OURS = "https://ispyb.example.org/auth"
KEYCLOAK = "https://keycloak.example.org/realms/site"
ALL = {"groups": ["administrators"], "scope": "runs:read", "beamlines": ["BL1"]}
SERVICE = {"client_id": "mxcube", "scope": "runs:write", "beamlines": ["BL1"]}


@dataclass(frozen=True, slots=True)
class Site:
    """The site's Keycloak speaks for people and nothing else, ours for machines."""

    ours: Issuing
    keycloak: Issuing
    rsa_key: rsa.RSAPrivateKey
    verifier: Verifier

    def caller(self, token: str) -> Principal:
        return self.verifier.verify([f"Bearer {token}"])


@pytest.fixture(params=["a kid of its own", "the same kid"])
def site(request: pytest.FixtureRequest, tmp_path: Path) -> Site:
    kid = "test-key" if request.param == "the same kid" else "keycloak-key"
    (tmp_path / "keycloak").mkdir()
    ours = Issuing(tmp_path, issuer=OURS)
    keycloak = Issuing(tmp_path / "keycloak", issuer=KEYCLOAK, kid=kid)
    rsa_key = rsa.generate_private_key(65537, 2048)
    keycloak.pem_file.write_bytes(
        rsa_key.public_key().public_bytes(
            serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
        )
    )
    issuers = {
        "suite": Issuer(
            issuer=OURS,
            pem_file=ours.pem_file,
            kid=ours.kid,
            audience="ispyb",
            believes=frozenset({"groups", "scope", "beamlines"}),
            administrators=True,
            services=True,
            people=False,
        ),
        "keycloak": Issuer(
            issuer=KEYCLOAK,
            pem_file=keycloak.pem_file,
            kid=keycloak.kid,
            algorithms=("RS256",),
            audience="ispyb-people",
            people=True,
        ),
    }
    return Site(ours, keycloak, rsa_key, Verifier(issuers))


def of_keycloak(site: Site, kid: str | None = None, **claims: Any) -> str:
    usual = {"iss": KEYCLOAK, "sub": "alice", "aud": "ispyb-people", "iat": 1, "exp": 2**33}
    kid = kid or site.keycloak.kid
    return jwt.encode({**usual, **claims}, site.rsa_key, "RS256", {"kid": kid})


def of_ours(site: Site, login: str = "alice", **claims: Any) -> str:
    return site.ours.token(login, **{"aud": "ispyb", **claims})


@pytest.mark.parametrize(
    ("claims", "said"),
    [
        ({}, {"issuer": "keycloak", "person": True, "name": "alice"}),
        (ALL, {"administrator": False, "groups": set(), "scope": None, "beamlines": set()}),
        ({"sub": "mxcube", **SERVICE}, {"service": False, "beamlines": set()}),
        ({"people": False, "person": False}, {"person": True}),
    ],
)
def test_people_gain_nothing_that_only_ours_may_give(
    site: Site, claims: dict[str, Any], said: dict[str, Any]
) -> None:
    caller = site.caller(of_keycloak(site, **claims))
    assert {name: getattr(caller, name) for name in said} == said


@pytest.mark.parametrize(
    ("login", "claims", "said"),
    [
        ("alice", {}, {"issuer": "suite", "person": False, "name": "suite:alice"}),
        ("alice", {"people": True, "person": True}, {"person": False}),
        ("alice", ALL, {"administrator": True, "beamlines": {"BL1"}, "person": False}),
        ("mxcube", SERVICE, {"service": True, "person": False, "name": "suite:mxcube"}),
    ],
)
def test_machines_are_nobody_s_person(
    site: Site, login: str, claims: dict[str, Any], said: dict[str, Any]
) -> None:
    caller = site.caller(of_ours(site, login, **claims))
    assert {name: getattr(caller, name) for name in said} == said


@pytest.mark.parametrize(
    "claims",
    [
        {"iss": OURS},
        {"iss": OURS, "aud": "ispyb"},
        {"iss": OURS, "aud": "ispyb", "kid": "test-key"},
        {"kid": "another"},
        {"aud": "ispyb"},
        {"aud": ["ispyb", "account"]},
        {"iss": f"{KEYCLOAK}/"},
    ],
    ids=str,
)
def test_keycloak_s_key_opens_nothing_in_another_s_name(site: Site, claims: dict[str, Any]) -> None:
    with pytest.raises(Unauthenticated):
        site.caller(of_keycloak(site, **claims))


@pytest.mark.parametrize(
    "claims",
    [
        {"iss": KEYCLOAK},
        {"iss": KEYCLOAK, "aud": "ispyb-people"},
        {"aud": "ispyb-people"},
        {"aud": None},
    ],
    ids=str,
)
def test_our_key_opens_nothing_in_another_s_name(site: Site, claims: dict[str, Any]) -> None:
    """ES256 is not agreed with Keycloak, whichever kid a token names."""
    with pytest.raises(Unauthenticated):
        site.caller(of_ours(site, **claims))


def test_two_alices_are_two_callers(site: Site) -> None:
    one, other = site.caller(of_keycloak(site)), site.caller(of_ours(site))
    assert one != other
    assert (one.login, other.login) == ("alice", "alice")
    assert one.name != other.name


def test_a_named_administrator_is_a_person_of_that_name(site: Site) -> None:
    named = Administrators(logins=frozenset({"alice"}))
    assert is_administrator(site.caller(of_keycloak(site)), named)
    assert not is_administrator(site.caller(of_ours(site)), named)
    assert is_administrator(site.caller(of_ours(site, **ALL)), named)


WHOLE = {"people": True, "services": True, "administrators": True}


@pytest.mark.parametrize(
    ("caller", "block", "not_before", "trusted"),
    [
        ({}, {}, None, True),
        ({}, {}, 999, True),
        ({}, {}, 1000, True),
        ({}, {}, 1001, False),
        ({"login": "bob"}, {}, 1001, True),
        ({"issuer": "gone"}, {}, None, False),
        ({}, {"people": False}, None, False),
        ({"person": False}, {}, None, False),
        ({"service": True}, {}, None, True),
        ({"service": True}, {"services": False}, None, False),
        ({"administrator": True}, {"administrators": False}, None, False),
    ],
    ids=str,
)
def test_who_was_known_is_trusted_as_far_as_the_block_still_says(
    issuing: Issuing,
    caller: dict[str, Any],
    block: dict[str, Any],
    not_before: float | None,
    *,
    trusted: bool,
) -> None:
    """A link keeps its maker; what its issuer may say can have changed since."""
    said = {**WHOLE, **block}
    now = Issuer(issuer=OURS, pem_file=issuing.pem_file, kid=issuing.kid, **said)
    verifier = Verifier({"suite": now})
    if not_before is not None:
        verifier.trusted[0].revocations.list = Revoked(not_before={"alice": not_before})
    known = Principal(**{"login": "alice", "issuer": "suite", "expires": 1, "token": "", **caller})
    assert verifier.still_trusts(known, 1000) == trusted
