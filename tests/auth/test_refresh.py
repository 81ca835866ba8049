"""Going on with a login: rotation, lost answers, many threads, reuse, logout, expiry."""

import tomllib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import jwt
import pytest
import sqlalchemy as sa
from argon2 import PasswordHasher
from tests.auth.conftest import ISSUER, Auth
from tests.cast import Issuing

from pyispyb_auth.operations import keys
from pyispyb_auth.tables import refresh_family, refresh_token


def test_each_refresh_gives_the_next(auth: Auth) -> None:
    tokens = auth.log_in()
    seen = {tokens["refreshToken"]}
    for _ in range(3):
        answer = auth.refresh(tokens["refreshToken"])
        assert answer.status_code == 200
        tokens = answer.get_json()
        assert tokens["refreshToken"] not in seen
        seen.add(tokens["refreshToken"])


def test_a_lost_answer_is_asked_for_again(auth: Auth) -> None:
    first = auth.log_in()["refreshToken"]
    lost = auth.refresh(first).get_json()["refreshToken"]
    again = auth.refresh(first)
    assert again.status_code == 200
    assert again.get_json()["refreshToken"] != lost
    assert auth.refresh(again.get_json()["refreshToken"]).status_code == 200


def test_eight_at_once_all_go_on(auth: Auth) -> None:
    first = auth.log_in()["refreshToken"]

    def refresh(_n: int) -> tuple[int, str]:
        with auth.client.application.test_client() as client:
            answer = client.post("/auth/refresh", json={"refreshToken": first})
            return answer.status_code, answer.get_json().get("refreshToken", "")

    with ThreadPoolExecutor(8) as threads:
        answers = list(threads.map(refresh, range(8)))
    assert [status for status, _ in answers] == [200] * 8
    assert len({token for _, token in answers}) == 8


def test_reuse_after_a_successor_was_used_ends_the_login(auth: Auth) -> None:
    first = auth.log_in()["refreshToken"]
    second = auth.refresh(first).get_json()["refreshToken"]
    third = auth.refresh(second).get_json()["refreshToken"]
    assert auth.refresh(first).status_code == 401
    assert auth.refresh(third).status_code == 401


def test_reuse_after_the_grace_ends_the_login(make_auth: Callable[..., Auth]) -> None:
    auth = make_auth()
    first = auth.log_in()["refreshToken"]
    second = auth.refresh(first).get_json()["refreshToken"]
    with auth.database.writing() as connection:
        used = sa.update(refresh_token).where(refresh_token.c.usedAt.is_not(None))
        connection.execute(used.values(usedAt=sa.text("'2020-01-01 00:00:00'")))
    assert auth.refresh(first).status_code == 401
    assert auth.refresh(second).status_code == 401
    with auth.database.reading() as connection:
        assert connection.execute(sa.select(refresh_family.c.endedBy)).scalar_one() == "reuse"


def test_logout_ends_every_token_of_the_login_and_no_other(auth: Auth) -> None:
    first, other = auth.log_in(), auth.log_in()
    second = auth.refresh(first["refreshToken"]).get_json()
    assert auth.post("/logout", refreshToken=first["refreshToken"]).status_code == 204
    assert auth.refresh(first["refreshToken"]).status_code == 401
    assert auth.refresh(second["refreshToken"]).status_code == 401
    assert auth.refresh(other["refreshToken"]).status_code == 200
    assert auth.post("/logout", refreshToken=first["refreshToken"]).status_code == 204


def test_a_login_expires(make_auth: Callable[..., Auth]) -> None:
    auth = make_auth()
    token = auth.log_in()["refreshToken"]
    with auth.database.writing() as connection:
        old = sa.update(refresh_family).values(expiresAt=sa.text("'2020-01-01 00:00:00'"))
        connection.execute(old)
    assert auth.refresh(token).status_code == 401


@pytest.mark.parametrize("token", ["x", "a.b.c", "é" * 50])
def test_a_token_of_nobody_is_401(auth: Auth, token: str) -> None:
    assert auth.refresh(token).status_code == 401
    assert auth.post("/logout", refreshToken=token).status_code == 204


@pytest.mark.parametrize("path", ["/refresh", "/logout"])
def test_a_body_without_a_token_is_422(auth: Auth, path: str) -> None:
    answer = auth.post(path, refresh="x")
    assert answer.status_code == 422
    assert {error["field"] for error in answer.get_json()["errors"]} == {"refresh", "refreshToken"}


def test_refresh_tokens_are_kept_as_hashes_only(auth: Auth) -> None:
    token = auth.log_in()["refreshToken"]
    with auth.database.reading() as connection:
        (row,) = connection.execute(sa.select(refresh_token)).all()
    assert token not in {str(value) for value in row}


def accounts(hashed: str, more: str = "") -> str:
    return f'[accounts.alice]\npassword_hash = "{hashed}"\n{more}'


def test_a_refresh_gives_what_the_account_says_now(auth: Auth) -> None:
    login = auth.log_in()
    file = auth.folder / "accounts.toml"
    kept = tomllib.loads(file.read_text())["accounts"]["alice"]["password_hash"]
    file.write_text(accounts(kept, 'name = "Alice A"\n'))
    answer = auth.refresh(login["refreshToken"]).get_json()
    assert "name" not in unverified(login["token"])
    assert unverified(answer["token"])["name"] == "Alice A"
    assert unverified(answer["token"])["sid"] == unverified(login["token"])["sid"]


@pytest.mark.parametrize(
    "text", [accounts(PasswordHasher().hash("another")), "[accounts]\n"], ids=["changed", "gone"]
)
def test_a_new_password_or_a_removed_account_ends_the_login(auth: Auth, text: str) -> None:
    first = auth.log_in()["refreshToken"]
    second = auth.refresh(first).get_json()["refreshToken"]
    (auth.folder / "accounts.toml").write_text(text)
    assert auth.refresh(second).status_code == 401
    with auth.database.reading() as connection:
        assert connection.execute(sa.select(refresh_family.c.endedBy)).scalar_one() == "withdrawn"


def test_a_login_of_before_proofs_were_kept_goes_on(auth: Auth) -> None:
    token = auth.log_in()["refreshToken"]
    with auth.database.writing() as connection:
        connection.execute(sa.update(refresh_family).values(proof=None))
    assert auth.refresh(token).status_code == 200


def test_expired_logins_are_forgotten_when_somebody_logs_in(auth: Auth) -> None:
    auth.refresh(auth.log_in()["refreshToken"])
    with auth.database.writing() as connection:
        old = sa.update(refresh_family).values(expiresAt=sa.text("'2020-01-01 00:00:00'"))
        connection.execute(old)
    auth.log_in("bob")
    with auth.database.reading() as connection:
        left = connection.execute(sa.select(refresh_family.c.login)).scalars().all()
        tokens = connection.execute(sa.select(sa.func.count()).select_from(refresh_token)).scalar()
    assert (left, tokens) == (["bob"], 1)


def unverified(token: str) -> dict[str, Any]:
    return dict(jwt.decode(token, options={"verify_signature": False}))


LOGOUTS: list[tuple[bool, str | None, int, bool]] = [
    # refresh token in the body, bearer, answer, is the login over
    (True, None, 204, True),
    (True, "own", 204, True),
    (False, "own", 204, True),
    (True, "broken", 204, True),
    (False, "broken", 401, False),
    (False, "foreign", 401, False),
    (False, "expired", 401, False),
    (False, None, 415, False),
]


@pytest.mark.parametrize(("with_body", "bearer", "status", "over"), LOGOUTS)
def test_logging_out_by_either_token(
    auth: Auth, issuing: Issuing, *, with_body: bool, bearer: str | None, status: int, over: bool
) -> None:
    tokens = auth.log_in()
    sid = unverified(tokens["token"])["sid"]
    mine = keys.keys_in(auth.folder / "keys")[0]
    old = {**unverified(tokens["token"]), "exp": 1}
    bearers = {
        "own": tokens["token"],
        "broken": tokens["token"][:-8] + "AAAAAAAA",
        "foreign": issuing.token("alice", sid=sid, iss=ISSUER),
        "expired": jwt.encode(old, mine.private, algorithm="ES256", headers={"kid": mine.kid}),
    }
    answer = auth.client.post(
        "/auth/logout",
        json={"refreshToken": tokens["refreshToken"]} if with_body else None,
        headers={"Authorization": f"Bearer {bearers[bearer]}"} if bearer else {},
    )
    assert answer.status_code == status
    assert (auth.refresh(tokens["refreshToken"]).status_code == 401) == over


def test_a_logout_by_two_tokens_ends_the_logins_of_both(auth: Auth) -> None:
    one, other = auth.log_in(), auth.log_in("bob")
    auth.client.post(
        "/auth/logout",
        json={"refreshToken": one["refreshToken"]},
        headers={"Authorization": f"Bearer {other['token']}"},
    )
    assert auth.refresh(one["refreshToken"]).status_code == 401
    assert auth.refresh(other["refreshToken"]).status_code == 401
