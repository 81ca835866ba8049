"""Going on with a login: rotation, lost answers, many threads, reuse, logout, expiry."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
import sqlalchemy as sa
from tests.auth.conftest import Auth

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
