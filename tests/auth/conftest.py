"""Auth with the demo accounts on a new database of each kind."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from pyispyb_auth.app import create_app
from pyispyb_auth.demo import write_demo_accounts
from pyispyb_auth.migrations import MIGRATIONS
from pyispyb_auth.settings import AuthSettings
from pyispyb_chassis.configuration import Configuration, load
from pyispyb_chassis.database import Database

FILE = """
environment = "{environment}"
url = "http://127.0.0.1:8000"
state = "{folder}"
[issuers.suite]
issuer = "{{url}}/auth"
jwks_url = "http://127.0.0.1:1/jwks.json"
[auth]
database_url = "{url}"
keys_dir = "{folder}/keys"
{more}
[auth.providers.static]
kind = "static"
accounts_file = "{folder}/accounts.toml"
"""
COMMAND = Path(sys.executable).with_name("pyispyb-auth")
ISSUER = "http://127.0.0.1:8000/auth"


@dataclass(frozen=True, slots=True)
class Auth:
    """An auth under test, and where its things lie."""

    client: FlaskClient
    database: Database
    folder: Path
    file: Path
    configuration: Configuration

    def post(self, path: str, **body: Any) -> TestResponse:
        """POST a JSON body."""
        return self.client.post(f"/auth{path}", json=body)

    def log_in(self, login: str = "alice") -> dict[str, Any]:
        """The tokens of a demo login."""
        answer = self.post("/login", login=login, password=f"{login}-demo")
        assert answer.status_code == 200, answer.text
        return dict(answer.get_json())

    def refresh(self, token: str) -> TestResponse:
        """POST a refresh token."""
        return self.post("/refresh", refreshToken=token)

    def close(self) -> None:
        """Close every connection."""
        for database in self.client.application.extensions["pyispyb_databases"]:
            database.dispose()
        self.database.dispose()


def write_configuration(
    folder: Path, url: str, *, environment: str = "local", more: str = ""
) -> Path:
    """An ispyb.toml for auth alone."""
    file = folder / "ispyb.toml"
    text = FILE.format(folder=folder, url=url, environment=environment, more=more)
    file.write_text(text, encoding="utf-8")
    return file


def run(
    file: Path, *words: str, given: str = "", **variables: str
) -> subprocess.CompletedProcess[str]:
    """One command of pyispyb-auth, under this configuration."""
    environ = {"PATH": os.environ["PATH"], "ISPYB_CONFIG": str(file), **variables}
    return subprocess.run(
        [COMMAND, *words],
        env=environ,
        input=given,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


@pytest.fixture(scope="session")
def demo_accounts(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The demo accounts file, whose hashes take their time."""
    file = tmp_path_factory.mktemp("accounts") / "accounts.toml"
    write_demo_accounts(file)
    return file


@pytest.fixture
def make_auth(
    each_database: str, tmp_path: Path, demo_accounts: Path
) -> Iterator[Callable[..., Auth]]:
    """Makes an auth on this database; `more` goes into its [auth]."""
    made: list[Auth] = []

    def make(more: str = "") -> Auth:
        file = write_configuration(tmp_path, each_database, more=more)
        configuration = load(file, environ={})
        settings = configuration.section(AuthSettings)
        shutil.copy(demo_accounts, settings.providers["static"].accounts_file)
        database = Database(each_database)
        MIGRATIONS.upgrade(database)
        client = create_app(configuration).test_client()
        made.append(Auth(client, database, tmp_path, file, configuration))
        return made[-1]

    yield make
    for auth in made:
        auth.close()


@pytest.fixture
def auth(make_auth: Callable[..., Auth]) -> Auth:
    """Auth as it is configured by default."""
    return make_auth()
