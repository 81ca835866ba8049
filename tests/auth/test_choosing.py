"""Which provider decides: by pattern, by plugin, in order; and exactly one is given a password."""

import json
import os
import subprocess
import sys
import textwrap
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.auth.conftest import Auth, write_configuration
from tests.peers.http import Answering
from tests.peers.ports import free_port

ROOT = Path(__file__).parents[2]

pytestmark = pytest.mark.parametrize("each_database", ["sqlite"], indirect=True)


class Site(Answering):
    """A service that knows these logins, whose password is its own name."""

    def __init__(self, name: str, *logins: str, **more: Any) -> None:
        super().__init__(body=self._answer, **more)
        self.name = name
        self.logins = logins

    def _answer(self, asked: dict[str, str]) -> tuple[int, Any]:
        if "password" not in asked:
            return (200, {}) if asked["login"] in self.logins else (404, None)
        right = asked["login"] in self.logins and asked["password"] == self.name
        return (200, {"name": self.name}) if right else (401, None)

    @property
    def told(self) -> list[str]:
        """The passwords that it was given."""
        bodies = [json.loads(one.body) for one in self.asked]
        return [body["password"] for body in bodies if "password" in body]


def block(name: str, url: str, more: str = "lookups = true") -> str:
    """A provider that asks this service."""
    return f"""
[auth.providers.{name}]
kind = "remote"
url = "{url}/"
timeout_seconds = 1
refusal_seconds = 0
{more}
"""


SILENT = ""
CHOICES = [
    # who logs in, with which plugin, then the status, and who was given the password
    ("known to the first", "gail", "one", None, 200, "one"),
    ("known to the second", "hugo", "two", None, 200, "two"),
    ("known to both: the first decides", "both", "two", None, 401, "one"),
    ("known to both, and named", "both", "two", "two", 200, "two"),
    ("known to the file alone", "alice", "alice-demo", None, 200, None),
    ("known to nobody: the first refuses", "ghost", "one", None, 401, "one"),
    ("named, though it knows them not", "gail", "one", "two", 401, "two"),
]


@pytest.mark.parametrize(
    ("what", "login", "password", "plugin", "status", "given"),
    CHOICES,
    ids=[row[0] for row in CHOICES],
)
def test_the_first_that_knows_decides(
    make_auth: Callable[..., Auth],
    what: str,
    login: str,
    password: str,
    plugin: str | None,
    status: int,
    given: str | None,
) -> None:
    with Site("one", "gail", "both") as one, Site("two", "hugo", "both") as two:
        auth = make_auth(block("one", one.url) + block("two", two.url))
        answer = auth.post("/login", login=login, password=password, plugin=plugin)
        assert answer.status_code == status, what
        assert {site.name: site.told for site in (one, two)} == {
            "one": [password] if given == "one" else [],
            "two": [password] if given == "two" else [],
        }


def test_one_that_cannot_say_comes_after_those_that_can(make_auth: Callable[..., Auth]) -> None:
    with Site("silent", "gail", "hugo") as silent, Site("two", "hugo") as two:
        auth = make_auth(block("silent", silent.url, SILENT) + block("two", two.url))
        assert auth.post("/login", login="hugo", password="two").status_code == 200
        assert auth.post("/login", login="gail", password="silent").status_code == 200
        assert (silent.told, two.told) == (["silent"], ["two"])


def test_a_pattern_picks_and_a_plugin_may_not_disagree(make_auth: Callable[..., Auth]) -> None:
    with Site("mail", "gail@x.org", "alice") as mail, Site("two", "hugo", "gail@x.org") as two:
        pattern = 'login_pattern = ".+@x[.]org"'
        auth = make_auth(block("two", two.url) + block("mail", mail.url, pattern))

        def status(login: str, password: str, plugin: str | None = None) -> int:
            return auth.post("/login", login=login, password=password, plugin=plugin).status_code

        assert status("gail@x.org", "mail") == 200
        assert status("gail@x.org", "mail", "mail") == 200
        assert (mail.told, two.told, two.asked) == (["mail", "mail"], [], [])
        for login, plugin, said in (
            ("gail@x.org", "two", "such logins belong to mail"),
            ("alice", "mail", "mail takes no such logins"),
        ):
            answer = auth.post("/login", login=login, password="x", plugin=plugin)
            assert answer.status_code == 422
            assert answer.get_json()["errors"] == [{"field": "plugin", "detail": said}]
        assert status("alice", "mail") == 401, "the pattern keeps others out"
        assert auth.log_in("alice")


DOWN = [
    # the first is down: who logs in, with which plugin, then the status
    ("the file's go on", "alice", "alice-demo", None, 200),
    ("its refusal might be the other's yes", "alice", "wrong", None, 503),
    ("named, the file decides", "alice", "wrong", "static", 401),
    ("another server's stand in for nobody", "hugo", "two", None, 503),
    ("but go on where they are named", "hugo", "two", "two", 200),
    ("the first's own", "gail", "one", None, 503),
    ("unknown", "ghost", "x", None, 503),
]


@pytest.mark.parametrize(
    ("what", "login", "password", "plugin", "status"), DOWN, ids=[row[0] for row in DOWN]
)
def test_while_one_is_down_no_password_goes_to_another_server(
    make_auth: Callable[..., Auth],
    what: str,
    login: str,
    password: str,
    plugin: str | None,
    status: int,
) -> None:
    with Site("two", "hugo") as two:
        gone = f"http://127.0.0.1:{free_port()}"
        auth = make_auth(block("one", gone) + block("two", two.url))
        for _ in range(2):
            answer = auth.post("/login", login=login, password=password, plugin=plugin)
            assert answer.status_code == status, what
        if status == 503:
            assert answer.get_json()["detail"] == "the provider one does not answer"
        assert two.told == (["two", "two"] if plugin == "two" else [])
        assert len(two.asked) == len(two.told), "one time-out is enough to wait for"


THIRD_PARTY = '''
"""A site's own way to prove who you are."""

from typing import ClassVar, Literal

from pyispyb_auth.providers.provider import Identity, Provider, ProviderSettings


class BadgeSettings(ProviderSettings):
    """[auth.providers.<name>] with kind = "badge"."""

    kind: Literal["badge"]
    word: str


class BadgeProvider(Provider):
    """Lets in whoever shows the word."""

    settings_kind: ClassVar = BadgeSettings
    takes = frozenset({"token"})

    def __init__(self, name: str, settings: BadgeSettings) -> None:
        super().__init__(name, settings)
        self._word = settings.word

    def prove_token(self, token: str) -> Identity | None:
        login, _, word = token.partition(":")
        return Identity(login) if word == self._word else None
'''
PROGRAM = """
import json, sys
from pathlib import Path
from pyispyb_auth.app import create_app
from pyispyb_auth.migrations import MIGRATIONS
from pyispyb_auth.settings import AuthSettings
from pyispyb_chassis.configuration import load
from pyispyb_chassis.database import Database

configuration = load(Path(sys.argv[1]), environ={})
url = configuration.section(AuthSettings).database_url.get_secret_value()
MIGRATIONS.upgrade(Database(url))
client = create_app(configuration).test_client()
said = [
    client.post("/auth/login", json={"login": "alice", "token": f"alice:{word}"}).status_code
    for word in ("right", "wrong")
]
print(json.dumps({"said": said, "config": client.get("/auth/config").get_json()["providers"]}))
"""


def as_a_stranger(tmp_path: Path, url: str, word: str) -> subprocess.CompletedProcess[str]:
    """Auth where a package that we know nothing of brings the kind `badge`."""
    installed = tmp_path / "installed"
    (installed / "site_badge-1.0.dist-info").mkdir(parents=True)
    (installed / "site_badge.py").write_text(THIRD_PARTY)
    (installed / "site_badge-1.0.dist-info" / "METADATA").write_text(
        "Metadata-Version: 2.1\nName: site-badge\nVersion: 1.0\n"
    )
    (installed / "site_badge-1.0.dist-info" / "entry_points.txt").write_text(
        "[pyispyb.auth_providers]\nbadge = site_badge:BadgeProvider\n"
        "broken = site_badge:Nothing\nwrong = site_badge:BadgeSettings\n"
    )
    more = f'[auth.providers.badge]\nkind = "badge"\n{word}\n'
    file = write_configuration(tmp_path, url, more=more)
    text = file.read_text()
    file.write_text(text[: text.index("[auth.providers.static]")])
    return subprocess.run(
        [sys.executable, "-c", textwrap.dedent(PROGRAM), file],
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(installed)},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def test_another_package_brings_a_provider(each_database: str, tmp_path: Path) -> None:
    done = as_a_stranger(tmp_path, each_database, 'word = "right"')
    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout.splitlines()[-1])
    assert said["said"] == [200, 401]
    assert said["config"] == [
        {"name": "badge", "kind": "badge", "title": "badge", "takes": ["token"]}
    ]


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ("", "auth.providers.badge.word: Field required"),
        ('word = "x"\ncolour = 1', "auth.providers.badge.colour: Extra inputs"),
        ('[auth.providers.x]\nkind = "broken"', "auth.providers.x.kind: the package that brings"),
        ('[auth.providers.x]\nkind = "wrong"', "site_badge:BadgeSettings is no provider"),
        ('[auth.providers.x]\nkind = "badges"', "installed: badge, broken, cas, ldap, oidc"),
    ],
)
def test_its_faults_are_told_like_ours(
    each_database: str, tmp_path: Path, settings: str, said: str
) -> None:
    done = as_a_stranger(tmp_path, each_database, settings)
    assert done.returncode != 0
    assert said in done.stderr
