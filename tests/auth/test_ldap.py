"""Logins by a real directory: who gets in, over what, and what happens when it does not answer."""

import socket
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import jwt
import pytest
import sqlalchemy as sa
from tests.auth.conftest import Auth, write_configuration
from tests.peers.http import Answering
from tests.peers.ldap import BASE, ODD, PASSWORD, SEARCHER, SEARCHER_PASSWORD, Ldap, dn_of
from tests.peers.ports import free_port

from pyispyb_auth.tables import refresh_family
from pyispyb_chassis.configuration import BadConfiguration, load

pytestmark = pytest.mark.parametrize("each_database", ["sqlite"], indirect=True)


@pytest.fixture(scope="module")
def directory() -> Iterator[Ldap]:
    """One slapd for all of these."""
    with Ldap() as server:
        yield server


def block(directory: Ldap, *servers: str, name: str = "ldap", more: str = "") -> str:
    """A provider that searches this directory."""
    return f"""
[auth.providers.{name}]
kind = "ldap"
servers = {list(servers or [directory.url])}
ca_certificates = "{directory.ca}"
bind_dn = "{SEARCHER}"
bind_password = "{SEARCHER_PASSWORD}"
search_base = "{BASE}"
user_filter = "(&(objectClass=inetOrgPerson)(!(title=left)))"
timeout_seconds = 1
refusal_seconds = 0.2
{more}
"""


GROUPS = f"""
[auth.providers.ldap.groups]
"CN=BL1 staff, {BASE}" = "BL1 staff"
"""


def template(directory: Ldap) -> str:
    """A provider that makes a DN of the login, and cannot search."""
    return f"""
[auth.providers.ldap]
kind = "ldap"
servers = ["{directory.tls_url}"]
ca_certificates = "{directory.ca}"
dn_template = "uid={{login}},ou=people,{BASE}"
refusal_seconds = 0.2
{GROUPS}
"""


def status_of(auth: Auth, login: str, password: str = PASSWORD, plugin: str | None = "ldap") -> int:
    """The status of a login."""
    return auth.post("/login", login=login, password=password, plugin=plugin).status_code


@pytest.mark.parametrize("way", ["starttls", "ldaps", "plain", "template"])
def test_who_gets_in(make_auth: Callable[..., Auth], directory: Ldap, way: str) -> None:
    auth = make_auth(
        {
            "starttls": block(directory, more=GROUPS),
            "ldaps": block(directory, directory.tls_url, more=GROUPS),
            "plain": block(directory, more="starttls = false\n" + GROUPS),
            "template": template(directory),
        }[way]
    )
    answer = auth.post("/login", login="carol", password=PASSWORD, plugin="ldap")
    assert answer.status_code == 200, answer.text
    claims = jwt.decode(answer.get_json()["token"], options={"verify_signature": False})
    said = {name: claims[name] for name in ("sub", "name", "email", "groups")}
    # Of her two groups the map names one: the other means nothing here.
    assert said == {
        "sub": "carol", "name": "Carol A", "email": "carol@test.org", "groups": ["BL1 staff"],
    }  # fmt: skip
    # A directory does not tell ALICE from alice; a token has one spelling of each login.
    shouted = auth.post("/login", login="ALICE", password=PASSWORD, plugin="ldap")
    assert shouted.get_json()["login"] == "alice"
    for login, password in (("alice", "wrong"), ("ghost", PASSWORD), ("alice", PASSWORD.upper())):
        assert status_of(auth, login, password) == 401


@pytest.mark.parametrize("login", ODD)
@pytest.mark.parametrize("way", ["search", "template"])
def test_a_login_is_a_value_and_never_syntax(
    make_auth: Callable[..., Auth], directory: Ldap, way: str, login: str
) -> None:
    auth = make_auth(block(directory) if way == "search" else template(directory))
    answer = auth.post("/login", login=login, password=PASSWORD)
    assert (answer.status_code, answer.get_json().get("login")) == (200, login), answer.text


@pytest.mark.parametrize(
    "login",
    [
        "*",
        "al*",
        "alice)(uid=*",
        "alice,ou=people",
        "*)(|(uid=alice)",
        "alice\\2a",
        "alice\x00",
        "\\",
    ],
)
@pytest.mark.parametrize("way", ["search", "template"])
def test_syntax_in_a_login_finds_nobody_and_breaks_nothing(
    make_auth: Callable[..., Auth], directory: Ldap, way: str, login: str
) -> None:
    auth = make_auth(block(directory) if way == "search" else template(directory))
    assert status_of(auth, login) == 401
    assert status_of(auth, "alice", "\u00ad\u0007\ufdd0") == 401  # no password by SASLprep
    assert status_of(auth, "alice") == 200


def test_an_empty_password_never_reaches_the_directory(
    make_auth: Callable[..., Auth], directory: Ldap
) -> None:
    """The directory would take it for nobody's, and say yes."""
    auth = make_auth(block(directory))
    directory.pause()
    try:
        assert status_of(auth, "alice", "") == 422
    finally:
        directory.resume()


def test_a_login_that_two_entries_have_is_nobodys(
    make_auth: Callable[..., Auth], directory: Ldap
) -> None:
    auth = make_auth(block(directory))
    directory.add_person("twin")
    assert status_of(auth, "twin") == 200
    directory.add_person("twin", below="others")
    assert status_of(auth, "twin") == 401


def test_people_may_log_in_by_what_finds_them_and_are_one(
    make_auth: Callable[..., Auth], directory: Ldap
) -> None:
    auth = make_auth(block(directory, more='found_by = ["mail"]\n'))
    tokens = auth.post("/login", login="bob@test.org", password=PASSWORD).get_json()
    assert tokens["login"] == "bob"
    assert auth.refresh(tokens["refreshToken"]).get_json()["login"] == "bob"


@pytest.mark.parametrize(
    "servers",
    ["one that refuses, then ours", "one that hangs, then ours", "a stranger's, then ours"],
)
def test_another_server_is_asked_in_turn(
    make_auth: Callable[..., Auth], directory: Ldap, servers: str
) -> None:
    with Ldap() as stranger, Answering(delay=5) as hanging:
        first = {
            "one that refuses, then ours": f"ldap://127.0.0.1:{free_port()}",
            "one that hangs, then ours": f"ldaps://127.0.0.1:{hanging.port}",
            "a stranger's, then ours": stranger.tls_url,  # no certificate that we trust
        }[servers]
        text = block(directory, first, directory.url).replace("_seconds = 1", "_seconds = 3")
        auth = make_auth(text)
        assert status_of(auth, "alice") == 200
        before = time.monotonic()
        assert status_of(auth, "alice") == 200
        assert time.monotonic() - before < 2.5, "the one that answered is asked first"


@pytest.mark.parametrize("way", ["starttls", "ldaps"])
@pytest.mark.parametrize("fault", ["authority", "name"])
def test_no_password_goes_to_a_server_that_cannot_prove_its_name(
    make_auth: Callable[..., Auth], directory: Ldap, way: str, fault: str
) -> None:
    url = directory.url if way == "starttls" else directory.tls_url
    text = block(directory, url if fault == "authority" else url.replace("127.0.0.1", "localhost"))
    if fault == "authority":
        text = text.replace(f'ca_certificates = "{directory.ca}"', "")
    assert_down(make_auth(text), "alice", PASSWORD)


def assert_down(auth: Auth, login: str, password: str) -> None:
    """Twice 503, soon, naming the provider: the second time without asking."""
    for seconds in (10.0, 2.5):
        before = time.monotonic()
        answer = auth.post("/login", login=login, password=password, plugin="ldap")
        assert answer.status_code == 503, answer.text
        assert answer.get_json()["detail"] == "the provider ldap does not answer"
        assert int(answer.headers["Retry-After"]) > 0
        assert time.monotonic() - before < seconds


@pytest.mark.parametrize("fate", ["killed", "hung"])
def test_a_directory_that_is_down_is_503_and_the_others_go_on(
    make_auth: Callable[..., Auth], directory: Ldap, fate: str
) -> None:
    auth = make_auth(block(directory).replace("timeout_seconds = 1", "timeout_seconds = 3"))
    assert status_of(auth, "dave") == 200
    if fate == "killed":
        directory.kill()
    else:
        directory.pause()
    try:
        assert_down(auth, "dave", PASSWORD)
        # An account of the file goes on, though the directory is asked before it; a wrong word
        # is no refusal while the directory could have taken it.
        assert status_of(auth, "alice", "alice-demo", None) == 200
        assert status_of(auth, "alice", "wrong", None) == 503
        assert status_of(auth, "alice", "wrong", "static") == 401
    finally:
        if fate == "killed":
            directory.start()
        else:
            directory.resume()
    deadline = time.monotonic() + 20
    while status_of(auth, "dave") == 503 and time.monotonic() < deadline:
        time.sleep(0.1)
    assert status_of(auth, "dave") == 200


ANSWER = bytes.fromhex("300c02010161070a010004000400")


@pytest.mark.parametrize("place", range(0, len(ANSWER), 3))
def test_what_is_no_ldap_is_an_outage(
    make_auth: Callable[..., Auth], directory: Ldap, place: int
) -> None:
    """A bind's answer with one byte that is wrong, and whatever the library makes of it."""
    garbage = ANSWER[:place] + bytes([ANSWER[place] ^ 0x5A]) + ANSWER[place + 1 :]
    with socket.create_server(("127.0.0.1", 0)) as server:

        def answer() -> None:
            with server.accept()[0] as connection:
                connection.recv(4096)
                connection.sendall(garbage)

        thread = threading.Thread(target=answer)
        thread.start()
        url = f"ldap://127.0.0.1:{server.getsockname()[1]}"
        auth = make_auth(block(directory, url, more="starttls = false\n"))
        assert status_of(auth, "alice") == 503
        thread.join()


def test_a_wrong_bind_password_is_ours_to_mend_and_no_refusal(
    make_auth: Callable[..., Auth], directory: Ldap
) -> None:
    auth = make_auth(block(directory).replace(SEARCHER_PASSWORD, "wrong"))
    assert_down(auth, "alice", PASSWORD)


def test_unknown_and_wrong_take_as_long(make_auth: Callable[..., Auth], directory: Ldap) -> None:
    auth = make_auth(block(directory))
    took: dict[str, list[float]] = {"alice": [], "ghost": []}
    told = set()
    for _ in range(5):
        for login, times in took.items():
            before = time.monotonic()
            answer = auth.post("/login", login=login, password="wrong", plugin="ldap")
            times.append(time.monotonic() - before)
            told.add((answer.status_code, answer.get_json()["detail"]))
    assert len(told) == 1
    assert min(min(times) for times in took.values()) >= 0.2
    # The quickest of each: what the machine does beside it only ever adds.
    quickest = [min(times) for times in took.values()]
    assert max(quickest) - min(quickest) < 0.1


@pytest.mark.parametrize("ending", ["deleted", "filtered out", "new password"])
def test_a_refresh_asks_the_directory(
    make_auth: Callable[..., Auth], directory: Ldap, ending: str
) -> None:
    login = ending.replace(" ", "-")
    directory.add_person(login)
    more = 'changed_attribute = "employeeNumber"\n' + GROUPS
    auth = make_auth(block(directory, more=more))
    token = auth.post("/login", login=login, password=PASSWORD).get_json()["refreshToken"]
    directory.change(dn_of(login), cn="New Name")
    again = auth.refresh(token).get_json()
    assert jwt.decode(again["token"], options={"verify_signature": False})["name"] == "New Name"
    if ending == "deleted":
        directory.delete(dn_of(login))
    elif ending == "filtered out":
        directory.change(dn_of(login), title="left")
    else:
        directory.change(dn_of(login), employeeNumber="2")
    assert auth.refresh(again["refreshToken"]).status_code == 401


def test_a_login_outlives_a_directory_that_restarts_and_no_longer(
    make_auth: Callable[..., Auth], directory: Ldap
) -> None:
    auth = make_auth("outage_seconds = 60\n" + block(directory, more=GROUPS))
    token = auth.post("/login", login="carol", password=PASSWORD).get_json()["refreshToken"]
    directory.kill()
    try:
        for _ in range(2):
            answer = auth.refresh(token)
            assert answer.status_code == 200, answer.text
            token = answer.get_json()["refreshToken"]
        claims = jwt.decode(answer.get_json()["token"], options={"verify_signature": False})
        assert claims["groups"] == ["BL1 staff"]
        with auth.database.writing() as connection:
            long_ago = sa.text("'2020-01-01 00:00:00'")
            connection.execute(sa.update(refresh_family).values(confirmedAt=long_ago))
        answer = auth.refresh(token)
        assert (answer.status_code, "ldap" in answer.get_json()["detail"]) == (503, True)
    finally:
        directory.start()
    time.sleep(1)  # until it is asked again
    assert auth.refresh(token).status_code == 200, "an outage ends no login"


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"servers": '["http://x"]'}, "not ldap://host"),
        ({"servers": "[]"}, "at least 1 item"),
        ({"servers": '["ldap://ldap.example.org"]\nstarttls = false'}, "under TLS only"),
        ({"user_filter": '"(uid=x"'}, "not a filter"),
        ({"bind_password": '""'}, "would bind as nobody"),
        ({"bind_dn": None}, "both of bind_dn and bind_password"),
        ({"search_base": None}, "exactly one of search_base and dn_template"),
        ({"ca_certificates": '"/nowhere.pem"'}, "is not there"),
        ({"timeout_seconds": "5"}, "less than or equal to 4"),
        ({"kind": '"ldpa"'}, "no such kind; installed: "),
        ({"login_pattern": '"("'}, "not a regular expression"),
        ({"colour": '"red"'}, "colour: Extra inputs"),
    ],
)
def test_a_wrong_setting_stops_the_start_with_one_line(
    each_database: str,
    tmp_path: Path,
    directory: Ldap,
    changed: dict[str, str | None],
    said: str,
) -> None:
    lines = dict(line.split(" = ", 1) for line in block(directory).splitlines() if " = " in line)
    lines |= changed
    text = "\n".join(f"{key} = {value}" for key, value in lines.items() if value is not None)
    file = write_configuration(tmp_path, each_database, more=f"[auth.providers.ldap]\n{text}\n")
    with pytest.raises(BadConfiguration) as bad:
        load(file, environ={})
    line = "; ".join(bad.value.faults)
    assert "auth.providers.ldap" in line
    assert said in line
    assert SEARCHER_PASSWORD not in line
