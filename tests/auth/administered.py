"""An auth that verifies its own tokens, and who calls it: the cast, machines, the narrowed."""

import shutil
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import jwt
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from pyispyb_auth.app import create_app
from pyispyb_auth.migrations import MIGRATIONS
from pyispyb_auth.operations import keys
from pyispyb_auth.operations.access_tokens import AccessTokens
from pyispyb_auth.operations.keyring import KeyRing
from pyispyb_auth.providers import Identity
from pyispyb_chassis.configuration import Configuration, load
from pyispyb_chassis.database import Database

FILE = """
url = "http://127.0.0.1:8000"
state = "{folder}"
[issuers.suite]
issuer = "{{url}}/auth"
pem_file = "{folder}/public.pem"
kid = "{kid}"
believes = ["scope", "beamlines", "groups"]
services = true
administrators = true
[administrators]
logins = ["dave"]
[auth]
database_url = "{url}"
keys_dir = "{folder}/keys"
{more}
throttle_after = 100
throttle_login_after = 100
throttle_address_after = 100
[auth.providers.static]
kind = "static"
accounts_file = "{folder}/accounts.toml"
"""
# A narrowed administrator, and one by a token that says more than any scope may.
NARROWED = Identity("erin", {"groups": ["administrators"], "scope": "accounts:manage runs:read"})
AT_BL1 = Identity("erin", {"groups": ["administrators"], "only_beamlines": ["BL1"]})
MACHINE = Identity(
    "dave", {"client_id": "dave", "scope": "accounts:manage", "groups": ["administrators"]}
)
SIGNED = {"narrowed": NARROWED, "at BL1": AT_BL1, "machine": MACHINE}


def ahead(**time_left: float) -> str:
    """A moment from now, as clients write it."""
    return (datetime.now(UTC) + timedelta(**time_left)).isoformat(timespec="seconds")


@dataclass
class Administered:
    """An auth under test; `call` is HTTP."""

    client: FlaskClient
    configuration: Configuration
    database: Database
    file: Path
    bearers: dict[str, str] = field(default_factory=dict)

    def call(
        self, who: str | None, method: str, path: str, body: Any = None, *, token: str = ""
    ) -> TestResponse:
        """What auth answers one of the cast, somebody whose token is signed here, or nobody."""
        bearer = token or (self.bearer(who) if who is not None else "")
        headers = {"Authorization": f"Bearer {bearer}"} if bearer else {}
        return self.client.open(f"/auth{path}", method=method, json=body, headers=headers)

    def bearer(self, who: str) -> str:
        """An access token, the same for as long as it is asked for."""
        if who not in self.bearers:
            if who in SIGNED:
                self.bearers[who] = self.signed(SIGNED[who])
            else:
                answer = self.enter(who, f"{who}-demo")
                assert answer.status_code == 200, answer.text
                self.bearers[who] = answer.get_json()["token"]
        return self.bearers[who]

    def enter(self, login: str, secret: str, **more: Any) -> TestResponse:
        """POST a login."""
        return self.client.post("/auth/login", json={"login": login, "password": secret, **more})

    def signed(self, identity: Identity) -> str:
        """A token by auth's own key, of no login."""
        ring = KeyRing(self.file.parent / "keys", 0)
        issuer = self.configuration.suite.issuers["suite"].issuer
        return AccessTokens(issuer, None, 900, ring).sign(identity, "of-no-login")

    def token(self, **form: str) -> TestResponse:
        """POST a form to the token endpoint."""
        return self.client.post("/auth/token", data=form)

    def revoked(self) -> dict[str, Any]:
        """The signed list, as services read it on the inside port."""
        time.sleep(1.01)  # it is kept for a second
        inside = {"SERVER_PORT": "9101"}
        answer = self.client.get("/revocations", environ_overrides=inside)
        assert answer.status_code == 200
        return dict(jwt.decode(answer.data, options={"verify_signature": False}))

    def close(self) -> None:
        """Close every connection."""
        for database in self.client.application.extensions["pyispyb_databases"]:
            database.dispose()
        self.database.dispose()


def make_administered(url: str, folder: Path, accounts: Path, more: str = "") -> Administered:
    """An auth on this database; `more` goes into its [auth]."""
    (key,) = keys.initialise(folder / "keys")
    public = key.private.public_key()
    pem = public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    (folder / "public.pem").write_bytes(pem)
    shutil.copy(accounts, folder / "accounts.toml")
    file = folder / "ispyb.toml"
    file.write_text(FILE.format(folder=folder, url=url, kid=key.kid, more=more), "utf-8")
    configuration = load(file, environ={})
    database = Database(url)
    MIGRATIONS.upgrade(database)
    client = create_app(configuration).test_client()
    return Administered(client, configuration, database, file)


def until_the_next_second() -> None:
    """Wait: moments are kept by the second."""
    time.sleep(1.01 - time.time() % 1)
