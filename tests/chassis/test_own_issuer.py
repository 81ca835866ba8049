"""A service that is an issuer itself: it asks no URL for its keys and its list."""

import time
from pathlib import Path

import jwt
import orjson
import pytest
from tests.cast import Issuing

from pyispyb_chassis.configuration import Issuer
from pyispyb_chassis.errors import Unauthenticated
from pyispyb_chassis.tokens import OwnIssuer, Verifier

NOWHERE = "http://127.0.0.1:1/jwks.json"


def itself(issuing: Issuing, **revoked: object) -> Verifier:
    def listed() -> bytes:
        claims = {"iss": issuing.issuer, "iat": int(time.time()), "revoked_jti": [], **revoked}
        header = {"kid": issuing.kid, "typ": "revocations+jwt"}
        return jwt.encode(claims, issuing.key, algorithm="ES256", headers=header).encode()

    block = Issuer(issuer=issuing.issuer, jwks_url=NOWHERE, revocations_url=NOWHERE)
    own = OwnIssuer(lambda: orjson.dumps(issuing.jwks()), listed)
    return Verifier({"suite": block}, own={"suite": own})


def test_its_own_tokens_need_no_http(issuing: Issuing) -> None:
    verifier = itself(issuing)
    assert verifier.verify([f"Bearer {issuing.token('alice')}"]).issuer == "suite"


def test_its_own_list_counts(issuing: Issuing) -> None:
    token = issuing.token("alice", jti="ended")
    verifier = itself(issuing, revoked_jti=["ended"])
    (trusted,) = verifier.trusted
    assert trusted.revocations.poll()
    with pytest.raises(Unauthenticated):
        verifier.verify([f"Bearer {token}"])
    assert verifier.verify([f"Bearer {issuing.token('alice')}"]).login == "alice"


def test_anothers_key_of_that_kid_opens_nothing(issuing: Issuing, tmp_path: Path) -> None:
    stranger = Issuing(tmp_path, issuer=issuing.issuer, kid=issuing.kid)
    with pytest.raises(Unauthenticated):
        itself(issuing).verify([f"Bearer {stranger.token('alice')}"])
