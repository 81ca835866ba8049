"""The same login from two issuers: one person in core only where the site says so."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient
from tests.cast import Issuing
from tests.core.conftest import Core

from pyispyb_chassis.configuration import load
from pyispyb_core.app import create_app


@dataclass(frozen=True, slots=True)
class Two:
    """A core that trusts two issuers."""

    client: FlaskClient
    people: Issuing
    others: Issuing

    def get(self, by: Issuing, path: str, login: str = "alice", **claims: Any) -> Any:
        headers = {"Authorization": f"Bearer {by.token(login, aud='ispyb', **claims)}"}
        answer = self.client.get(f"/core{path}", headers=headers)
        assert answer.status_code == 200, answer.text
        return answer.get_json()


@pytest.fixture(params=["people = false", "people = true"])
def two(
    request: pytest.FixtureRequest, core: Core, issuing: Issuing, tmp_path: Path
) -> Iterator[Two]:
    others = Issuing(tmp_path, issuer="https://others.example.org")
    before = core.file.read_text("utf-8")
    said = issuing.toml() + 'audience = "ispyb"\npeople = true\n'
    second = others.toml("others").replace('["scope"', '["groups", "scope"')
    more = f'{second}audience = "ispyb"\n{request.param}\n'
    named = '[administrators]\nlogins = ["oscar"]\n'
    file = tmp_path / "ispyb.toml"
    file.write_text(before.replace(issuing.toml(), said + more) + named, "utf-8")
    app = create_app(load(file, environ={}))
    yield Two(app.test_client(), issuing, others)
    for database in app.extensions["pyispyb_databases"]:
        database.dispose()


def test_a_person_is_one_of_an_issuer_of_people(two: Two, request: pytest.FixtureRequest) -> None:
    same = "true" in request.node.name
    person = two.get(two.people, "/user/current")
    other = two.get(two.others, "/user/current")
    assert person["personId"] is not None
    assert other["personId"] == (person["personId"] if same else None)
    assert other["login"] == ("alice" if same else "others:alice")
    assert two.get(two.people, "/proposals")["total"] == 1
    assert two.get(two.others, "/proposals")["total"] == (1 if same else 0)
    reached = two.get(two.others, "/user/access")
    assert bool(reached["proposals"]) == same
    for path in ("/sessions", "/samples", "/shippings", "/persons"):
        assert bool(two.get(two.others, path)["total"]) == same, path


def test_a_named_login_and_a_member_of_a_group_are_people(
    two: Two, request: pytest.FixtureRequest
) -> None:
    same = "true" in request.node.name
    for by, expected in ((two.people, True), (two.others, same)):
        for login in ("oscar", "erin"):  # named in [administrators]; a member of that UserGroup
            held = two.get(by, "/user/current", login)["permissions"]
            assert ("everything:read-all" in held) == expected, (by.issuer, login)
        assert (two.get(by, "/user/current", "carol")["staffOf"] == ["BL1"]) == expected


def test_what_an_issuer_may_give_by_its_block_it_gives_without_a_person(two: Two) -> None:
    groups = {"groups": ["administrators"]}
    for by, expected in ((two.others, True), (two.people, False)):
        held = two.get(by, "/user/current", **groups)["permissions"]
        assert ("everything:read-all" in held) == expected
