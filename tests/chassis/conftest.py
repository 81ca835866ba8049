"""The small service, in this process, trusting the tests' issuer."""

from pathlib import Path

import pytest
from flask.testing import FlaskClient
from tests.cast import Issuing
from tests.chassis.hello.app import create_app
from tests.chassis.hello.settings import configured

from pyispyb_chassis.configuration import Issuer


@pytest.fixture
def client(issuing: Issuing, tmp_path: Path) -> FlaskClient:
    """A client of the small service."""
    return create_app(configured(tmp_path, (8099, 9099), trusted(issuing))).test_client()


def trusted(issuing: Issuing) -> Issuer:
    """The tests' issuer, as a service trusts it."""
    return Issuer(
        issuer=issuing.issuer,
        pem_file=issuing.pem_file,
        kid=issuing.kid,
        believes=frozenset({"scope", "beamlines", "groups"}),
        services=True,
        administrators=True,
    )
