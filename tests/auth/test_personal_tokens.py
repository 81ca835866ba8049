"""Personal access tokens: who makes, sees and ends them, what they give, and how they end."""

import json
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

from pyispyb_auth.app import create_app
from pyispyb_auth.operations.narrowing import now
from pyispyb_auth.operations.personal_tokens import MOST_PER_PERSON
from pyispyb_auth.tables import personal_token, refresh_family
from pyispyb_chassis.configuration import load
from pyispyb_chassis.logs import JsonLines

SCOPE = ["proposals:read"]


@pytest.fixture(scope="module", params=["sqlite", "mariadb"])
def stage(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, demo_accounts: Path
) -> Iterator[Administered]:
    """Auth on each database, shared by the tests: each makes tokens of its own."""
    folder = tmp_path_factory.mktemp("personal")
    url = f"sqlite:///{folder / 'auth.sqlite'}"
    if request.param == "mariadb":
        server: MariaDb = request.getfixturevalue("mariadb")
        url = server.url()
    made = make_administered(url, folder, demo_accounts, "personal_token_days = 30")
    yield made
    made.close()


@pytest.fixture(autouse=True)
def _nothing_is_left(stage: Administered) -> Iterator[None]:
    yield
    with stage.database.writing() as connection:
        connection.execute(personal_token.delete())


def body(**laid_over: Any) -> dict[str, Any]:
    return {"name": "a script", "scope": SCOPE, "expiresAt": ahead(days=7), **laid_over}


def create(stage: Administered, who: str = "alice", **more: Any) -> dict[str, Any]:
    answer = stage.call(who, "POST", "/personal-tokens", body(**more))
    assert answer.status_code == 201, answer.text
    return dict(answer.get_json())


def claims_of(answer: Any) -> dict[str, Any]:
    assert answer.status_code == 200, answer.text
    return dict(jwt.decode(answer.get_json()["token"], options={"verify_signature": False}))


@pytest.mark.parametrize(
    ("who", "status"),
    [
        ("alice", 201),
        ("erin", 201),
        ("dave", 201),
        ("mxcube", 403),
        ("machine", 403),
        ("narrowed", 403),
        ("at BL1", 403),
        (None, 401),
    ],
)
def test_who_makes_one(stage: Administered, who: str | None, status: int) -> None:
    if status != 201:
        assert stage.call(who, "POST", "/personal-tokens", {}).status_code == status
    answer = stage.call(who, "POST", "/personal-tokens", body())
    assert answer.status_code == status, answer.text
    listed = stage.call(who, "GET", "/personal-tokens")
    assert listed.status_code == (200 if status == 201 else status)
    if status == 201:
        assert listed.get_json()["total"] == 1


def test_a_personal_token_makes_lists_and_ends_none(stage: Administered) -> None:
    made = create(stage, scope=["proposals:read", "samples:read"])
    narrowed = stage.enter("alice", made["token"]).get_json()["token"]
    for method, path, sent in (
        ("POST", "", body(name="wider", scope=["samples:write"])),
        ("GET", "", None),
        ("DELETE", f"/{made['tokenId']}", None),
    ):
        answer = stage.call(None, method, f"/personal-tokens{path}", sent, token=narrowed)
        assert answer.status_code == 403, (method, path)
    assert stage.call(None, "GET", "/service-accounts", token=narrowed).status_code == 403


def test_an_administrators_personal_token_administers_nothing(stage: Administered) -> None:
    made = create(stage, "erin")
    narrowed = stage.enter("erin", made["token"]).get_json()["token"]
    assert stage.call(None, "GET", "/service-accounts", token=narrowed).status_code == 403
    listed = stage.call(None, "GET", "/personal-tokens?login=alice", token=narrowed)
    assert listed.status_code == 403


def test_it_is_shown_once_and_kept_hashed(stage: Administered) -> None:
    answer = stage.call("alice", "POST", "/personal-tokens", body(beamlines=["BL2", "BL1"]))
    made = answer.get_json()
    assert answer.headers["Location"] == f"/auth/personal-tokens/{made['tokenId']}"
    assert answer.headers["Cache-Control"] == "no-store"
    assert made["token"].startswith("ispyb_pat_")
    (listed,) = stage.call("alice", "GET", "/personal-tokens").get_json()["results"]
    assert listed == {name: value for name, value in made.items() if name != "token"}
    assert (listed["login"], listed["beamlines"], listed["lastUsedAt"]) == (
        "alice",
        ["BL1", "BL2"],
        None,
    )
    with stage.database.reading() as connection:
        kept = str(connection.execute(sa.select(personal_token)).all())
    assert made["token"].removeprefix("ispyb_pat_") not in kept


@pytest.mark.parametrize("place", ["password", "token"])
def test_it_gives_a_short_narrowed_token_and_no_refresh_token(
    stage: Administered, place: str
) -> None:
    made = create(stage, "erin", scope=["proposals:read", "samples:read"], beamlines=["BL1"])
    answer = stage.client.post(
        "/auth/login", json={"login": "erin", place: made["token"], "plugin": "static"}
    )
    assert answer.get_json()["refreshToken"] is None
    assert answer.get_json()["expiresIn"] == 900
    claims = claims_of(answer)
    assert (claims["sub"], claims["pat"]) == ("erin", made["tokenId"])
    assert claims["scope"] == "proposals:read samples:read"
    assert claims["only_beamlines"] == ["BL1"]
    assert claims["exp"] - claims["iat"] == 900
    assert not {"client_id", "beamlines"} & set(claims)
    (listed,) = stage.call("erin", "GET", "/personal-tokens").get_json()["results"]
    assert listed["lastUsedAt"] is not None
    with stage.database.reading() as connection:
        sids = connection.execute(sa.select(refresh_family.c.sid)).scalars().all()
    assert claims["sid"] not in sids


def test_who_is_refused_is_told_nothing(stage: Administered) -> None:
    made = create(stage)
    brief = create(stage, name="brief")
    with stage.database.writing() as connection:
        of_it = personal_token.c.tokenId == brief["tokenId"]
        connection.execute(personal_token.update().where(of_it).values(expiresAt=now()))
    told = set()
    for login, secret in (
        ("bob", made["token"]),
        ("ALICE", made["token"]),
        ("ghost", made["token"]),
        ("alice", made["token"] + "x"),
        ("alice", "ispyb_pat_x"),
        ("alice", brief["token"]),
        ("alice", made["token"].replace("_pat_", "_svc_")),
    ):
        answer = stage.enter(login, secret)
        assert answer.status_code == 401, (login, secret)
        told.add(answer.get_json()["detail"])
    assert told == {"login or password is wrong"}
    assert stage.enter("alice", made["token"]).status_code == 200


def test_no_access_token_outlives_it(stage: Administered) -> None:
    made = create(stage, expiresAt=ahead(seconds=90))
    answer = stage.enter("alice", made["token"])
    claims = claims_of(answer)
    assert 60 < claims["exp"] - claims["iat"] <= 90
    assert answer.get_json()["expiresIn"] <= 90


def test_who_sees_and_ends_whose(stage: Administered) -> None:
    hers = create(stage)
    create(stage, "bob")

    def total(who: str, query: str) -> int:
        answer = stage.call(who, "GET", f"/personal-tokens{query}")
        return answer.get_json()["total"] if answer.status_code == 200 else answer.status_code

    assert [total("alice", one) for one in ("", "?login=alice", "?login=bob")] == [1, 1, 403]
    assert [total("erin", one) for one in ("", "?login=bob", "?login=ghost")] == [0, 1, 0]
    assert [total("alice", one) for one in ("?name=x", "?login=a&login=b")] == [400, 400]
    path = f"/personal-tokens/{hers['tokenId']}"
    assert stage.call("bob", "DELETE", path).status_code == 404
    assert stage.call("mxcube", "DELETE", path).status_code == 403
    assert stage.call(None, "DELETE", path).status_code == 401
    assert stage.enter("alice", hers["token"]).status_code == 200
    assert stage.call("erin", "DELETE", path).status_code == 204
    assert hers["tokenId"] in stage.revoked()["revoked_sid"]
    assert stage.call("alice", "DELETE", path).status_code == 404
    assert stage.enter("alice", hers["token"]).status_code == 401
    own = create(stage, name="other")
    assert stage.call("alice", "DELETE", f"/personal-tokens/{own['tokenId']}").status_code == 204
    assert stage.enter("alice", own["token"]).status_code == 401


BODIES: list[tuple[dict[str, Any], int, set[str]]] = [
    ({"name": ""}, 422, {"name"}),
    ({"name": " x"}, 422, {"name"}),
    ({"name": "x" * 101}, 422, {"name"}),
    ({"scope": []}, 422, {"scope"}),
    ({"scope": None}, 422, {"scope"}),
    ({"scope": ["proposals:read", "x:read"]}, 422, {"scope.1"}),
    ({"scope": ["everything:read-all"]}, 422, {"scope.0"}),
    ({"scope": ["accounts:manage"]}, 422, {"scope.0"}),
    ({"expiresAt": None}, 422, {"expiresAt"}),
    ({"expiresAt": "2020-01-01T00:00:00Z"}, 422, {"expiresAt"}),
    ({"expiresAt": ahead(days=31)}, 422, {"expiresAt"}),
    ({"beamlines": "BL1"}, 422, {"beamlines"}),
    ({"login": "bob"}, 422, {"login"}),
    ({"name": "there"}, 409, {"name"}),
]


@pytest.mark.parametrize(("laid_over", "status", "fields"), BODIES)
def test_what_is_refused(
    stage: Administered, laid_over: dict[str, Any], status: int, fields: set[str]
) -> None:
    create(stage, name="there")
    answer = stage.call("alice", "POST", "/personal-tokens", body(**laid_over))
    assert answer.status_code == status, answer.text
    assert {error["field"] for error in answer.get_json()["errors"]} == fields
    needed = {"name", "scope", "expiresAt"}
    told = stage.call("alice", "POST", "/personal-tokens", {}).get_json()["errors"]
    assert {error["field"] for error in told} == needed


def test_a_person_has_so_many_and_old_ones_make_room(stage: Administered) -> None:
    made = [create(stage, name=f"script {n}") for n in range(MOST_PER_PERSON)]
    answer = stage.call("alice", "POST", "/personal-tokens", body(name="one more"))
    assert answer.status_code == 409
    assert str(MOST_PER_PERSON) in answer.get_json()["detail"]
    create(stage, "bob", name="one more")
    with stage.database.writing() as connection:
        of_it = personal_token.c.tokenId == made[0]["tokenId"]
        connection.execute(personal_token.update().where(of_it).values(expiresAt=now()))
    create(stage, name="one more")


def test_of_two_who_make_one_name_one_does(stage: Administered) -> None:
    stage.bearer("alice")
    with ThreadPoolExecutor(4) as threads:
        calls = [
            threads.submit(stage.call, "alice", "POST", "/personal-tokens", body()) for _ in "1234"
        ]
        statuses = sorted(one.result().status_code for one in calls)
    assert statuses == [201, 409, 409, 409]


def test_it_ends_with_its_owners_account_and_with_their_password(stage: Administered) -> None:
    made = create(stage, "oscar")
    accounts = stage.file.with_name("accounts.toml")
    before = accounts.read_text("utf-8")
    words = before.split("[accounts.oscar]\npassword_hash = ")
    other = run(stage.file, "hash-password", given="another one\n").stdout.strip()
    with_another = f'{words[0]}[accounts.oscar]\npassword_hash = "{other}"\n' + "".join(
        words[1].partition("\n")[1:]
    )
    for text, status in (
        (before.replace("[accounts.oscar]", "[accounts.gone]"), 401),
        (with_another, 401),
        (before, 200),
    ):
        accounts.write_text(text, "utf-8")
        assert stage.enter("oscar", made["token"]).status_code == status


def test_it_is_not_made_by_a_login_that_has_ended(stage: Administered) -> None:
    tokens = stage.enter("bob", "bob-demo").get_json()
    sent = {"refreshToken": tokens["refreshToken"]}
    assert stage.client.post("/auth/logout", json=sent).status_code == 204
    answer = stage.call(None, "POST", "/personal-tokens", body(), token=tokens["token"])
    assert answer.status_code in {401, 403}
    # What was made before the logout goes on: it is ended by itself.
    made = create(stage, "bob")
    assert stage.enter("bob", made["token"]).status_code == 200


def test_a_person_is_forgotten_whole(stage: Administered) -> None:
    made = create(stage, "carol")
    create(stage)
    gone = run(stage.file, "forget", "carol")
    assert gone.returncode == 0, gone.stderr
    assert gone.stdout.endswith("1 logins, 1 personal tokens\n")
    (line,) = [json.loads(line) for line in gone.stderr.splitlines()]
    assert (line["message"], line["login"]) == ("person forgotten", "carol")
    assert stage.enter("carol", made["token"]).status_code == 401
    assert "carol" in stage.revoked()["not_before"]
    with stage.database.reading() as connection:
        for table in (personal_token, refresh_family):
            kept = connection.execute(sa.select(table.c.login)).scalars().all()
            assert "carol" not in kept
            assert "alice" in kept
    stage.bearers.pop("carol")
    again = run(stage.file, "forget", "carol")
    assert again.stdout.endswith("0 logins, 0 personal tokens\n")


@pytest.mark.parametrize(("outage_seconds", "status"), [(3600, 200), (0, 503)])
def test_while_its_provider_is_down_it_goes_on_for_a_while(
    stage: Administered, tmp_path: Path, outage_seconds: int, status: int
) -> None:
    made = create(stage)
    with stage.database.writing() as connection:
        then = now() - timedelta(seconds=60)
        connection.execute(personal_token.update().values(confirmedAt=then))
    provider = 'kind = "static"'
    dead = 'kind = "ldap"\nservers = ["ldap://127.0.0.1:1"]\nstarttls = false\nsearch_base = "dc=x"'
    text = stage.file.read_text("utf-8")
    assert provider in text
    text = text.replace(provider, dead).replace(
        "[auth]\n", f"[auth]\noutage_seconds = {outage_seconds}\n"
    )
    file = tmp_path / "ispyb.toml"
    file.write_text(
        "".join(line for line in text.splitlines(keepends=True) if "accounts_file" not in line)
    )
    app = create_app(load(file, environ={}))
    try:
        sent = {"login": "alice", "token": made["token"]}
        answer = app.test_client().post("/auth/login", json=sent)
    finally:
        for database in app.extensions["pyispyb_databases"]:
            database.dispose()
    assert answer.status_code == status, answer.text
    if status == 503:
        assert "static" in answer.get_json()["detail"]


def test_a_use_is_noted_seldom(stage: Administered) -> None:
    made = create(stage)

    def noted() -> str:
        (listed,) = stage.call("alice", "GET", "/personal-tokens").get_json()["results"]
        return str(listed["lastUsedAt"])

    def set_to(seconds: int) -> str:
        with stage.database.writing() as connection:
            moment = now() - timedelta(seconds=seconds)
            connection.execute(personal_token.update().values(lastUsedAt=moment))
        return noted()

    for seconds, is_noted in ((50, False), (70, True)):
        before = set_to(seconds)
        assert stage.enter("alice", made["token"]).status_code == 200
        assert (noted() != before) == is_noted


def test_what_is_done_is_in_the_audit_and_no_token_is_in_any_line(
    stage: Administered, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    made = create(stage)
    stage.enter("alice", made["token"])
    stage.enter(made["token"], "a token in the wrong field")
    stage.call("alice", "DELETE", f"/personal-tokens/{made['tokenId']}")
    lines = [json.loads(JsonLines("auth").format(record)) for record in caplog.records]
    told = [line["event"] for line in lines if line.get("pat") == made["tokenId"]]
    assert told == ["personal token created", "logged in", "personal token revoked"]
    assert made["token"] not in json.dumps(lines)


EXCHANGE = {
    "grant_type": "urn:ietf:params:oauth:grant-type:token-exchange",
    "subject_token_type": "urn:ietf:params:oauth:token-type:access_token",
}


def test_it_is_exchanged_for_an_access_token(stage: Administered) -> None:
    made = create(stage, scope=["proposals:read", "samples:read"])
    answer = stage.token(**EXCHANGE, subject_token=made["token"], scope="samples:read")
    said = answer.get_json()
    assert answer.status_code == 200, answer.text
    assert set(said) == {
        "access_token", "token_type", "expires_in", "scope", "issued_token_type",
    }  # fmt: skip
    assert said["issued_token_type"] == EXCHANGE["subject_token_type"]
    claims = jwt.decode(said["access_token"], options={"verify_signature": False})
    assert (claims["sub"], claims["pat"]) == ("alice", made["tokenId"])
    assert claims["scope"] == said["scope"] == "samples:read"


@pytest.mark.parametrize(
    ("form", "error"),
    [
        ({"subject_token": "ispyb_pat_x"}, "invalid_grant"),
        ({"subject_token": "{access}"}, "invalid_grant"),
        ({"subject_token": ""}, "invalid_request"),
        ({"subject_token_type": ""}, "invalid_request"),
        ({"subject_token_type": "urn:ietf:params:oauth:token-type:id_token"}, "invalid_request"),
        ({"requested_token_type": "urn:ietf:params:oauth:token-type:jwt"}, "invalid_request"),
        ({"actor_token": "x"}, "invalid_request"),
        ({"audience": "other"}, "invalid_target"),
        ({"scope": "samples:write"}, "invalid_scope"),
    ],
)
def test_exchanges_that_are_refused(stage: Administered, form: dict[str, str], error: str) -> None:
    sent = {**EXCHANGE, "subject_token": create(stage)["token"], **form}
    sent = {name: value.replace("{access}", stage.bearer("alice")) for name, value in sent.items()}
    answer = stage.token(**sent)
    assert (answer.status_code, answer.get_json()["error"]) == (400, error)
