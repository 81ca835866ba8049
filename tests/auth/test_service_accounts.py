"""Service accounts: who manages them, what is refused, how their secrets live and end."""

import json
import subprocess
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from typing import Any

import jwt
import pytest
import sqlalchemy as sa
from tests.auth.administered import Administered, ahead, make_administered
from tests.auth.conftest import run
from tests.peers.mariadb import MariaDb

from pyispyb_auth.operations.narrowing import now
from pyispyb_auth.tables import service_account, service_secret
from pyispyb_chassis.logs import JsonLines

SCOPE = ["samples:read", "runs:write"]
SQLITE = pytest.mark.parametrize("stage", ["sqlite"], indirect=True)


@pytest.fixture(scope="module", params=["sqlite", "mariadb"])
def stage(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, demo_accounts: Path
) -> Iterator[Administered]:
    """Auth on each database, shared by the tests: each makes accounts of its own."""
    folder = tmp_path_factory.mktemp("accounts")
    url = f"sqlite:///{folder / 'auth.sqlite'}"
    if request.param == "mariadb":
        server: MariaDb = request.getfixturevalue("mariadb")
        url = server.url()
    made = make_administered(url, folder, demo_accounts)
    yield made
    made.close()


def create(stage: Administered, login: str, **more: Any) -> dict[str, Any]:
    body = {"login": login, "scope": SCOPE, "beamlines": ["BL1"], **more}
    answer = stage.call("erin", "POST", "/service-accounts", body)
    assert answer.status_code == 201, answer.text
    return dict(answer.get_json())


def claims_of(answer: Any) -> dict[str, Any]:
    assert answer.status_code == 200, answer.text
    return dict(jwt.decode(answer.get_json()["token"], options={"verify_signature": False}))


ROUTES = [
    ("GET", "", None, 200),
    ("POST", "", {"login": "{new}", "scope": ["runs:read"]}, 201),
    ("GET", "/mine", None, 200),
    ("PATCH", "/mine", {"description": "other"}, 200),
    ("POST", "/mine/secrets", {"overlapSeconds": 0}, 201),
    ("DELETE", "/mine/secrets/{secret}", None, 204),
    ("DELETE", "/mine", None, 204),
]
WHO = [
    ("erin", None),  # by the group in her token
    ("dave", None),  # by [administrators]
    ("alice", 403),
    ("mxcube", 403),
    ("machine", 403),
    ("narrowed", 403),
    ("at BL1", 403),
    (None, 401),
]


@pytest.mark.parametrize(("who", "refused"), WHO)
def test_who_manages(stage: Administered, who: str | None, refused: int | None) -> None:
    listed = stage.call("erin", "GET", "/service-accounts").get_json()["results"]
    if not any(one["login"] == "mine" for one in listed):
        create(stage, "mine")
    for number, (method, path, sent, done) in enumerate(ROUTES):
        text = json.dumps(sent).replace("{new}", f"new-{who}-{number}".lower().replace(" ", "-"))
        if "{secret}" in path:
            shown = stage.call("erin", "GET", "/service-accounts/mine").get_json()
            path = path.format(secret=shown["secrets"][0]["secretId"])
        answer = stage.call(who, method, f"/service-accounts{path}", json.loads(text))
        assert answer.status_code == (refused or done), (method, path, answer.text)
        if refused == 403:
            assert "accounts:manage" in answer.get_json()["detail"]


def test_a_secret_is_shown_once_and_kept_hashed(stage: Administered) -> None:
    answer = stage.call(
        "erin", "POST", "/service-accounts", {"login": "once", "scope": SCOPE, "beamlines": []}
    )
    made = answer.get_json()
    assert answer.headers["Location"] == "/auth/service-accounts/once"
    assert answer.headers["Cache-Control"] == "no-store"
    assert made["secret"].startswith("ispyb_svc_")
    assert len(made["secret"]) > 50
    shown = stage.call("erin", "GET", "/service-accounts/once").get_json()
    assert shown == {name: value for name, value in made.items() if name != "secret"}
    assert (shown["createdBy"], shown["enabled"], shown["lastUsedAt"]) == ("erin", True, None)
    assert shown["scope"] == sorted(SCOPE)
    with stage.database.reading() as connection:
        kept = [
            *connection.execute(sa.select(service_secret)),
            *connection.execute(sa.select(service_account)),
        ]
    assert made["secret"].removeprefix("ispyb_svc_") not in str(kept)


@pytest.mark.parametrize("place", ["password", "token"])
def test_a_login_gives_tokens_that_go_on(stage: Administered, place: str) -> None:
    made = create(stage, f"client-{place}")
    body = {"login": made["login"], place: made["secret"], "plugin": "static"}
    answer = stage.client.post("/auth/login", json=body)
    claims = claims_of(answer)
    assert claims["client_id"] == claims["sub"] == made["login"]
    assert (claims["scope"].split(), claims["beamlines"]) == (sorted(SCOPE), ["BL1"])
    assert stage.call("erin", "GET", f"/service-accounts/{made['login']}").get_json()["lastUsedAt"]

    # What changes is in the next token; when the account ends, so does the login.
    path = f"/service-accounts/{made['login']}"
    stage.call("erin", "PATCH", path, {"scope": ["runs:read"], "beamlines": ["BL2"]})
    refreshed = stage.client.post(
        "/auth/refresh", json={"refreshToken": answer.get_json()["refreshToken"]}
    )
    assert claims_of(refreshed)["scope"] == "runs:read"
    assert stage.call("erin", "DELETE", path).status_code == 204
    again = stage.client.post(
        "/auth/refresh", json={"refreshToken": refreshed.get_json()["refreshToken"]}
    )
    assert again.status_code == 401
    assert stage.enter(made["login"], made["secret"]).status_code == 401
    # One of the same name is another one.
    create(stage, made["login"])
    assert stage.enter(made["login"], made["secret"]).status_code == 401


def test_who_is_refused_a_login_is_told_nothing(stage: Administered) -> None:
    made, other = create(stage, "shut"), create(stage, "shut-2")
    assert (
        stage.call("erin", "PATCH", "/service-accounts/shut", {"enabled": False}).status_code == 200
    )
    told = set()
    for login, secret in (
        ("shut", made["secret"]),
        ("shut-2", made["secret"]),
        ("shut-2", other["secret"] + "x"),
        ("SHUT-2", other["secret"]),
        ("ghost", other["secret"]),
        ("alice", other["secret"]),
        ("shut-2", "ispyb_svc_x"),
    ):
        answer = stage.enter(login, secret)
        assert answer.status_code == 401, login
        told.add(answer.get_json()["detail"])
    assert told == {"login or password is wrong"}
    stage.call("erin", "PATCH", "/service-accounts/shut", {"enabled": True})
    assert stage.enter("shut", made["secret"]).status_code == 200


def test_an_account_ends_with_its_time_and_no_token_outlives_it(stage: Administered) -> None:
    made = create(stage, "brief", expiresAt=ahead(seconds=90))
    claims = claims_of(stage.enter("brief", made["secret"]))
    assert 60 < claims["exp"] - claims["iat"] <= 90
    with stage.database.writing() as connection:
        here = service_account.c.login == "brief"
        over = now() - timedelta(seconds=1)
        connection.execute(service_account.update().where(here).values(expiresAt=over))
    assert stage.enter("brief", made["secret"]).status_code == 401
    answer = stage.call("erin", "PATCH", "/service-accounts/brief", {"expiresAt": None})
    assert answer.get_json()["expiresAt"] is None
    assert stage.enter("brief", made["secret"]).status_code == 200


@pytest.mark.parametrize(
    ("method", "path", "body", "ends"),
    [
        ("PATCH", "", {"description": "other"}, False),
        ("PATCH", "", {"scope": [*SCOPE, "samples:write"], "beamlines": ["BL1", "BL2"]}, False),
        ("POST", "/secrets", {"overlapSeconds": 60}, False),
        ("PATCH", "", {"scope": SCOPE[:1]}, True),
        ("PATCH", "", {"beamlines": ["BL2"]}, True),
        ("PATCH", "", {"enabled": False}, True),
        ("POST", "/secrets", {"overlapSeconds": 0}, True),
        ("DELETE", "/secrets/{secret}", None, True),
        ("DELETE", "", None, True),
    ],
)
def test_what_takes_away_ends_the_tokens_of_before(
    stage: Administered, method: str, path: str, body: Any, *, ends: bool
) -> None:
    login = f"living-{uuid.uuid4().hex[:8]}"
    made = create(stage, login)
    issued_at = claims_of(stage.enter(login, made["secret"]))["iat"]
    path = path.format(secret=made["secrets"][0]["secretId"])
    answer = stage.call("erin", method, f"/service-accounts/{login}{path}", body)
    assert answer.status_code < 300, answer.text
    assert (stage.revoked()["not_before"].get(login, 0) > issued_at) == ends


GRANT = {"grant_type": "client_credentials"}


def test_client_credentials_give_a_token_and_nothing_to_refresh_it(stage: Administered) -> None:
    made = create(stage, "library")
    answer = stage.token(**GRANT, client_id="library", client_secret=made["secret"])
    said = answer.get_json()
    assert answer.headers["Cache-Control"] == "no-store"
    assert set(said) == {"access_token", "token_type", "expires_in", "scope"}
    assert (said["token_type"], said["expires_in"]) == ("Bearer", 900)
    claims = jwt.decode(said["access_token"], options={"verify_signature": False})
    assert claims["client_id"] == claims["sub"] == "library"
    assert (claims["scope"], claims["beamlines"]) == ("runs:write samples:read", ["BL1"])
    narrower = stage.token(
        **GRANT, client_id="library", client_secret=made["secret"], scope="samples:read"
    )
    claims = jwt.decode(narrower.get_json()["access_token"], options={"verify_signature": False})
    assert claims["scope"] == narrower.get_json()["scope"] == "samples:read"


@pytest.mark.parametrize(
    ("form", "status", "error"),
    [
        ({"client_secret": "ispyb_svc_x"}, 401, "invalid_client"),
        ({"client_id": "ghost"}, 401, "invalid_client"),
        ({"client_id": "alice", "client_secret": "alice-demo"}, 401, "invalid_client"),
        ({"client_id": "mxcube", "client_secret": "mxcube-demo"}, 401, "invalid_client"),
        ({"client_secret": ""}, 400, "invalid_request"),
        ({"client_id": ""}, 400, "invalid_request"),
        ({"scope": "samples:write"}, 400, "invalid_scope"),
        ({"scope": "samples:read everything:read-all"}, 400, "invalid_scope"),
    ],
)
def test_client_credentials_that_are_refused(
    stage: Administered, form: dict[str, str], status: int, error: str
) -> None:
    stage.call("erin", "DELETE", "/service-accounts/refused-client")
    secret = create(stage, "refused-client")["secret"]
    sent = {**GRANT, "client_id": "refused-client", "client_secret": secret, **form}
    answer = stage.token(**sent)
    assert (answer.status_code, answer.get_json()["error"]) == (status, error)
    assert secret not in answer.text


def test_a_rotation_overlaps(stage: Administered) -> None:
    first = create(stage, "turning")
    path = "/service-accounts/turning/secrets"
    begun = stage.enter("turning", first["secret"]).get_json()["refreshToken"]
    answer = stage.call("erin", "POST", path, {"overlapSeconds": 3600})
    second = answer.get_json()
    assert (answer.status_code, answer.headers["Cache-Control"]) == (201, "no-store")
    assert [one["expiresAt"] is None for one in second["secrets"]] == [True, False]
    for one in (first, second):
        assert stage.enter("turning", one["secret"]).status_code == 200
    begun = stage.client.post("/auth/refresh", json={"refreshToken": begun}).get_json()

    # A third beside them there is not, and the older one ends with its time.
    assert stage.call("erin", "POST", path, {"overlapSeconds": 60}).status_code == 409
    with stage.database.writing() as connection:
        ending = service_secret.c.expiresAt.is_not(None)
        of_it = (service_secret.c.login == "turning") & ending
        connection.execute(service_secret.update().where(of_it).values(expiresAt=now()))
    assert stage.enter("turning", first["secret"]).status_code == 401
    sent = {"refreshToken": begun["refreshToken"]}
    assert stage.client.post("/auth/refresh", json=sent).status_code == 401
    assert stage.enter("turning", second["secret"]).status_code == 200

    # Without an overlap nothing of before goes on.
    third = stage.call("erin", "POST", path, {"overlapSeconds": 0}).get_json()
    assert len(third["secrets"]) == 1
    assert stage.enter("turning", second["secret"]).status_code == 401
    assert stage.enter("turning", third["secret"]).status_code == 200

    # The answer to a rotation was lost: its secret is ended, and the old one went on meanwhile.
    lost = stage.call("erin", "POST", path, {}).get_json()
    newest = lost["secrets"][0]["secretId"]
    assert stage.call("erin", "DELETE", f"{path}/{newest}").status_code == 204
    assert stage.call("erin", "DELETE", f"{path}/{newest}").status_code == 404
    assert stage.enter("turning", lost["secret"]).status_code == 401
    assert stage.enter("turning", third["secret"]).status_code == 200
    assert stage.call("erin", "POST", path, {"overlapSeconds": 60}).status_code == 201


BODIES: list[tuple[dict[str, Any], int, set[str]]] = [
    ({"scope": ["nonsense:read"]}, 422, {"scope.0"}),
    ({"scope": ["everything:write-all"]}, 422, {"scope.0"}),
    ({"scope": ["everything:read-all", "accounts:manage"]}, 422, {"scope.0", "scope.1"}),
    ({"scope": []}, 422, {"scope"}),
    ({"scope": "runs:read"}, 422, {"scope"}),
    ({"scope": None}, 422, {"scope"}),
    ({"beamlines": [" BL1"]}, 422, {"beamlines.0"}),
    ({"beamlines": [f"B{n}" for n in range(33)]}, 422, {"beamlines"}),
    ({"login": "Upper"}, 422, {"login"}),
    ({"login": "a b"}, 422, {"login"}),
    ({"login": "a" * 46}, 422, {"login"}),
    ({"login": "../x"}, 422, {"login"}),
    ({"description": "x" * 256}, 422, {"description"}),
    ({"expiresAt": "2020-01-01T00:00:00Z"}, 422, {"expiresAt"}),
    ({"expiresAt": "2999-01-01T00:00:00"}, 422, {"expiresAt"}),
    ({"expiresAt": "tomorrow"}, 422, {"expiresAt"}),
    ({"expiresAt": "9999-12-31T23:59:59-23:00"}, 422, {"expiresAt"}),
    ({"expiresAt": 5}, 422, {"expiresAt"}),
    ({"secret": "mine"}, 422, {"secret"}),
    ({"login": 1, "scope": ["x:read"], "colour": 1}, 422, {"login", "scope.0", "colour"}),
    # names of people, and of what the accounts file has
    ({"login": "alice"}, 409, {"login"}),
    ({"login": "mxcube"}, 409, {"login"}),
    ({"login": "there"}, 409, {"login"}),
]


@pytest.mark.parametrize(("laid_over", "status", "fields"), BODIES)
def test_what_is_refused(
    stage: Administered, laid_over: dict[str, Any], status: int, fields: set[str]
) -> None:
    stage.call("erin", "POST", "/service-accounts", {"login": "there", "scope": SCOPE})
    body = {"login": "newcomer", "scope": SCOPE, **laid_over}
    answer = stage.call("erin", "POST", "/service-accounts", body)
    assert answer.status_code == status, answer.text
    assert {error["field"] for error in answer.get_json()["errors"]} == fields
    # A change is refused as a creation is; the login is never changed.
    if status == 422:
        changed = {name: value for name, value in body.items() if name in {*laid_over, "login"}}
        answer = stage.call("erin", "PATCH", "/service-accounts/there", changed)
        assert answer.status_code == 422
        assert "login" in {error["field"] for error in answer.get_json()["errors"]}


def test_an_unknown_permission_is_told_the_known_ones(stage: Administered) -> None:
    body = {"login": "newcomer", "scope": ["sample:read"]}
    (fault,) = stage.call("erin", "POST", "/service-accounts", body).get_json()["errors"]
    assert "samples:read" in fault["detail"]
    assert "everything:write-all" not in fault["detail"]


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("GET", "/ghost", None, 404),
        ("GET", "/THERE-IS", None, 404),
        ("PATCH", "/ghost", {}, 404),
        ("DELETE", "/ghost", None, 404),
        ("POST", "/ghost/secrets", {}, 404),
        ("DELETE", "/ghost/secrets/x", None, 404),
        ("DELETE", "/there-is/secrets/x", None, 404),
        ("POST", "/there-is/secrets", {"overlapSeconds": -1}, 422),
        ("POST", "/there-is/secrets", {"overlapSeconds": 30 * 86400 + 1}, 422),
        ("PATCH", "/there-is", {}, 200),
        ("GET", "?limit=1", None, 400),
        ("PUT", "/there-is", {}, 405),
    ],
)
def test_what_is_not_there(
    stage: Administered, method: str, path: str, body: Any, status: int
) -> None:
    stage.call("erin", "POST", "/service-accounts", {"login": "there-is", "scope": SCOPE})
    answer = stage.call("erin", method, f"/service-accounts{path}", body)
    assert answer.status_code == status, answer.text


def test_a_person_who_has_logged_in_keeps_the_name(stage: Administered) -> None:
    """Their provider may be one that cannot say whom it knows, or be gone from the file."""
    assert stage.enter("oscar", "oscar-demo").status_code == 200
    accounts = stage.file.with_name("accounts.toml")
    before = accounts.read_text("utf-8")
    accounts.write_text(before.replace("[accounts.oscar]", "[accounts.other]"), "utf-8")
    try:
        answer = stage.call("erin", "POST", "/service-accounts", {"login": "oscar", "scope": SCOPE})
    finally:
        accounts.write_text(before, "utf-8")
    assert answer.status_code == 409
    assert "logged in before" in answer.get_json()["errors"][0]["detail"]


def test_of_two_who_make_one_name_one_does(stage: Administered) -> None:
    """Two processes besides this one's threads, each with its own connections."""
    words = ("accounts", "create", "raced", "--scope", "runs:read")
    body = {"login": "raced", "scope": SCOPE}
    stage.bearer("erin")
    with ThreadPoolExecutor(6) as threads:
        commands = [threads.submit(run, stage.file, *words) for _ in range(2)]
        calls = [
            threads.submit(stage.call, "erin", "POST", "/service-accounts", body) for _ in range(4)
        ]
        won = [one.result().returncode == 0 for one in commands]
        statuses = [one.result().status_code for one in calls]
    assert won.count(True) + statuses.count(201) == 1, (won, statuses)
    assert set(statuses) <= {201, 409}
    shown = stage.call("erin", "GET", "/service-accounts/raced").get_json()
    assert len(shown["secrets"]) == 1


@SQLITE
def test_the_command_line_does_the_same(stage: Administered) -> None:
    def said(*words: str) -> subprocess.CompletedProcess[str]:
        return run(stage.file, "accounts", *words)

    made = said(
        "create", "typed", "--scope", "runs:read,runs:write", "--beamline", "BL1", "--beamline",
        "BL2", "--description", "by hand", "--expires", ahead(days=3),
    )  # fmt: skip
    assert made.returncode == 0, made.stderr
    secret = made.stdout.strip()
    claims = claims_of(stage.enter("typed", secret))
    assert (claims["scope"], claims["beamlines"]) == ("runs:read runs:write", ["BL1", "BL2"])
    shown = stage.call("erin", "GET", "/service-accounts/typed").get_json()
    assert shown["createdBy"].startswith("command line")
    listed = said("list").stdout
    assert "typed" in listed
    assert "runs:read runs:write" in listed

    rotated = said("rotate", "typed", "--overlap-seconds", "60").stdout.strip()
    assert stage.enter("typed", secret).status_code == 200
    assert stage.enter("typed", rotated).status_code == 200
    assert said("change", "typed", "--disable").returncode == 0
    assert stage.enter("typed", rotated).status_code == 401
    assert said("change", "typed", "--enable", "--scope", "runs:read").returncode == 0
    assert claims_of(stage.enter("typed", rotated))["scope"] == "runs:read"
    assert said("revoke", "typed").returncode == 0
    assert stage.enter("typed", rotated).status_code == 401
    assert secret not in listed


@SQLITE
@pytest.mark.parametrize(
    ("words", "faults"),
    [
        (
            ("create", "Upper", "--scope", "nonsense:read"),
            ["login: ", "scope.0: no such permission"],
        ),
        (("create", "alice", "--scope", "runs:read"), ["login: static knows somebody"]),
        (("rotate", "ghost"), ["no such service account"]),
        (("change", "ghost", "--disable"), ["no such service account"]),
    ],
)
def test_a_fault_on_the_command_line_names_what_is_wrong(
    stage: Administered, words: tuple[str, ...], faults: list[str]
) -> None:
    done = run(stage.file, "accounts", *words)
    assert done.returncode != 0
    assert all(fault in done.stderr for fault in faults), done.stderr
    assert "Traceback" not in done.stderr


def test_each_change_is_in_the_audit_and_no_secret_is_in_any_line(
    stage: Administered, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    made = create(stage, "audited")
    path = "/service-accounts/audited"
    rotated = stage.call("erin", "POST", f"{path}/secrets", {"overlapSeconds": 0}).get_json()
    secret_id = rotated["secrets"][0]["secretId"]
    stage.call("erin", "PATCH", path, {"enabled": False})
    stage.enter("audited", rotated["secret"])
    stage.enter(rotated["secret"], "a secret in the wrong field")
    stage.call("erin", "DELETE", f"{path}/secrets/{secret_id}")
    stage.call("erin", "DELETE", path)
    lines = [json.loads(JsonLines("auth").format(record)) for record in caplog.records]
    told = [(line["event"], line["login"], line["by"]) for line in lines if "by" in line]
    assert told == [
        (f"service account{what}", "audited", "erin")
        for what in (" created", " rotated", " changed", "'s secret ended", " revoked")
    ]
    assert any(line.get("login") == "ispyb_svc_***" for line in lines)
    for secret in (made["secret"], rotated["secret"]):
        assert secret not in json.dumps(lines)
