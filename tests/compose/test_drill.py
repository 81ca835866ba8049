"""The drill: the real file in a real engine, and everything that happens to it in its life.

The steps stand on one another, in this order; what an operator types is read out of the page.
"""

import base64
import json
import os
import re
import socket
import threading
import time
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
from tests import secrets_watch
from tests.compose.load import Load, under_load
from tests.compose.page import commands
from tests.compose.running import Site
from tests.peers.proxy import TlsProxy
from tests.suite.running import Caller, wait_for

pytestmark = [pytest.mark.suite, pytest.mark.timeout(900)]

SERVERS = ("mariadb", "auth", "core", "ssx", "gateway-config", "gateway")
LEAD = 20  # seconds for which a new key is published before it signs
DOWN_TOLD_WITHIN, BACK_WITHIN, READ_WITHIN = 8.0, 30.0, 20.0
PROPOSALS = "/core/proposals"
DATABASES = {"auth": ["pyispyb_auth"], "core": ["ispyb", "pyispyb_core"], "ssx": ["pyispyb_ssx"]}


@pytest.fixture
def alice(site: Site) -> Caller:
    """A member of MX1001."""
    return Caller(site.url, "alice")


def named(prefix: str) -> str:
    """An id that no other request has."""
    return f"{prefix}-{uuid.uuid4().hex[:12]}"


def book(caller: Caller, name: str, **headers: str) -> requests.Response:
    """Book a shipment in MX1001."""
    proposal = caller.ask(f"{PROPOSALS}/MX1001").json()["proposalId"]
    body = {"proposalId": proposal, "shippingName": name}
    return caller.ask("/core/shippings", method="POST", json=body, headers=headers)


def booked(caller: Caller, name: str) -> int:
    """How many shipments of this name there are."""
    total: int = caller.ask(f"/core/shippings?shippingName={name}").json()["total"]
    return total


def readers(site: Site, caller: Caller, path: str = PROPOSALS) -> Any:
    """Readers of this path."""
    return under_load(f"{site.url}{path}", lambda: caller.headers)


def nothing_failed(load: Load, least: int = 50) -> bool:
    """Was there a load, and each answer good."""
    assert load.failed == []
    return load.counted[200] >= least


def all_is_well(site: Site) -> bool:
    """Does every worker of every service answer from its database, each being asked a few times."""
    return all(is_well(site) for _ in range(6))


def is_well(site: Site) -> bool:
    """Does every service answer from its database, by one of its workers."""
    try:
        bob = Caller(site.url, "bob")
    except requests.RequestException:
        return False
    return bob.is_served(PROPOSALS) and bob.is_served("/ssx/runs")


def logs_in(site: Site, password: str) -> bool:
    """Can alice log in with this password, and see her proposals."""
    try:
        return Caller(site.url, "alice", password).is_served(PROPOSALS)
    except requests.RequestException:
        return False


# Start


def test_one_command_starts_everything(site: Site) -> None:
    lead = f"[auth]\nkey_lead_seconds = {LEAD}"
    config = (site.root / "ispyb.toml").read_text().replace("[auth]", lead, 1)
    (site.root / "site.toml").write_text(config)
    # Every statement is in the log: one request is followed into the database.
    site.set(ISPYB_CONFIG="./site.toml", MARIADB_LONG_QUERY_TIME="0")
    # What all images share is then there: builds at one time share nothing.
    site.bash("docker compose build init-secrets", seconds=900)
    printed = site.page("start", seconds=900)
    assert f"PyISPyB is ready at {site.url}" in printed


def test_what_it_prints_can_be_pasted(site: Site) -> None:
    printed = site.bash("docker compose logs --no-log-prefix --no-color welcome")
    pasted = re.search(r"Paste this into a terminal:\n\n(.*?)\n\n", printed, re.DOTALL)
    assert pasted is not None, printed
    proposals, shipment, batch, summary = site.bash(pasted[1]).splitlines()
    assert '"proposalNumber":"1001"' in proposals
    assert '"my first shipment"' in shipment
    assert '"images":3' in batch
    assert '"hitRate":0.6666' in summary


def test_alice_reads_and_books(alice: Caller) -> None:
    assert alice.ask(PROPOSALS).json()["results"][0]["proposalNumber"] == "1001"
    answer = book(alice, "in containers")
    assert answer.status_code == 201
    assert alice.ask(answer.headers["Location"]).json()["shippingName"] == "in containers"


def test_started_again_nothing_changes(site: Site, alice: Caller) -> None:
    before = {name: site.containers(name) for name in SERVERS}
    site.bash("docker compose up --detach --wait")
    assert {name: site.containers(name) for name in SERVERS} == before
    assert alice.ask(PROPOSALS).status_code == 200


def test_several_starts_at_once_are_safe(site: Site, alice: Caller) -> None:
    before = booked(alice, "in containers")
    site.bash(
        "for n in 1 2 3; do docker compose run --rm --no-deps init & done; "
        "for job in $(jobs -p); do wait $job; done"
    )
    assert booked(alice, "in containers") == before == 1


@pytest.mark.parametrize("service", ["auth", "core", "ssx"])
def test_a_service_has_no_rights(site: Site, service: str) -> None:
    assert site.inside(service, "import os; print(os.getuid())") == "10001"
    code = "import pathlib; pathlib.Path('/opt/pyispyb/x').touch()"
    with pytest.raises(AssertionError, match="Read-only file system"):
        site.inside(service, code)


# One log


def test_one_request_is_found_in_every_program(site: Site, alice: Caller) -> None:
    request_id = named("drill")
    session = alice.ask("/core/sessions?beamLineName=BL1&sort=startDate").json()["results"][0]
    body = {"sessionId": session["sessionId"]}
    answer = alice.ask("/ssx/runs", method="POST", json=body, headers={"X-Request-ID": request_id})
    assert answer.status_code == 201
    every = {"gateway", "ssx", "core", "mariadb"}
    wait_for(
        lambda: {line["service"] for line in site.lines(request_id=request_id)} >= every,
        READ_WITHIN,
    )
    statements = [line["_msg"] for line in site.lines(request_id=request_id, service="mariadb")]
    assert any("INSERT INTO `Run`" in text or "INSERT INTO Run" in text for text in statements)


def programs_of(site: Site, request_id: str) -> set[str]:
    """Who wrote of this request."""
    return {line["program"] for line in site.lines(request_id=request_id)}


def test_a_slow_statement_is_in_the_log_and_a_quick_one_is_not(site: Site) -> None:
    """With it the database is made anew, and the services come back by themselves."""
    site.set(MARIADB_LONG_QUERY_TIME="1")
    site.bash("docker compose up --detach --wait --no-deps mariadb")
    wait_for(lambda: all_is_well(site), BACK_WITHIN)
    slow, quick = named("slow"), named("quick")
    site.sql(f"SELECT SLEEP(1.2) /* {slow} */")
    site.sql(f"SELECT 1 /* {quick} */")
    wait_for(lambda: site.lines(request_id=slow, service="mariadb"), READ_WITHIN)
    assert not site.lines(request_id=quick)


def test_nobody_waits_for_the_collector(site: Site, alice: Caller) -> None:
    site.bash("docker compose stop --timeout 2 collector logs")
    meanwhile = named("meanwhile")
    answer = book(alice, meanwhile, **{"X-Request-ID": meanwhile})
    assert answer.status_code == 201
    with readers(site, alice) as load:
        pass
    assert nothing_failed(load)
    site.bash("docker compose up --detach --wait --no-deps collector logs")
    wait_for(
        lambda: (
            {line["service"] for line in site.lines(request_id=meanwhile)} >= {"gateway", "core"}
        ),
        READ_WITHIN,
    )


@pytest.mark.parametrize("service", [*SERVERS, "collector", "logs"])
def test_the_engine_rotates_what_it_keeps(site: Site, service: str) -> None:
    """As the engine itself took it from the file: no log fills the disk."""
    [one, *_] = site.containers(service)
    log = json.loads(
        site.bash(f"docker inspect --format '{{{{json .HostConfig.LogConfig}}}}' {one}")
    )
    assert log["Type"] == "json-file"
    assert {"max-size", "max-file"} <= set(log["Config"])


def test_the_page_s_queries_find_what_they_say(site: Site, alice: Caller) -> None:
    asked = alice.ask("/core/sessions?beamLineName=BL1&sort=startDate").json()["results"][0]
    session, booking = asked["sessionId"], named("query")
    assert alice.ask(f"/core/sessions/{session}").status_code == 200
    run = alice.ask("/ssx/runs", method="POST", json={"sessionId": session}).json()["runId"]
    assert book(alice, "asked for", **{"X-Request-ID": booking}).status_code == 201
    assert alice.ask("/core/proposals/MX9999").status_code == 404
    assert alice.ask(f"/ssx/runs/{run}/close", method="POST").status_code == 200

    def found(name: str, **words: str) -> list[dict[str, str]]:
        return [json.loads(line) for line in site.page(name, **words).splitlines()]

    def of_session() -> set[tuple[str, str]]:
        lines = found("log-of-session", **{"1234": str(session)})
        return {(line["service"], line.get("path", "")) for line in lines}

    wait_for(lambda: ("ssx", f"/ssx/runs/{run}/close") in of_session(), READ_WITHIN)
    assert {("core", f"/core/sessions/{session}"), ("ssx", "/ssx/runs")} <= of_session()

    def of_booking() -> list[dict[str, str]]:
        return found("log-of-request", **{"my-first-shipment": booking})

    wait_for(lambda: {line["program"] for line in of_booking()} >= {"gateway", "core"}, READ_WITHIN)
    lines = of_booking()
    assert [line["_time"] for line in lines] == sorted(line["_time"] for line in lines)

    def of_alice() -> list[dict[str, str]]:
        return found("log-of-user", oscar="alice")

    unknown = ("404", "/core/proposals/MX9999")
    wait_for(lambda: unknown in {(one["status"], one["path"]) for one in of_alice()}, READ_WITHIN)
    errors = of_alice()
    assert {one["login"] for one in errors} == {"alice"}
    assert min(int(one["status"]) for one in errors) >= 400


# Replicas


def test_three_cores_share_the_work(site: Site, alice: Caller) -> None:
    site.page("scale")
    cores = site.containers("core")
    assert len(cores) == 3

    def all_answered() -> bool:
        for _ in range(20):
            assert alice.ask(PROPOSALS).status_code == 200
        return all('"path":"/core/proposals"' in said(site, core) for core in cores)

    wait_for(all_answered, BACK_WITHIN)


def said(site: Site, container: str) -> str:
    """What a container printed."""
    return site.bash(f"docker logs {container} 2>&1")


def test_a_replica_that_dies_costs_no_read_and_comes_back(site: Site, alice: Caller) -> None:
    cores = site.containers("core")
    with readers(site, alice) as load:
        site.crash(cores[0])
        wait_for(lambda: is_back(site, cores[0]), 60, pause=0.5)
    assert nothing_failed(load)


def is_back(site: Site, container: str) -> bool:
    """Has the engine started it again, and is it well."""
    form = "{{.RestartCount}} {{.State.Health.Status}}"
    return site.bash(f"docker inspect --format '{form}' {container}").split() == ["1", "healthy"]


def test_a_stopped_replica_finishes_what_it_answers(site: Site, alice: Caller) -> None:
    one = site.containers("core")[0]
    proposal = alice.ask(f"{PROPOSALS}/MX1001").json()["proposalId"]
    body = json.dumps({"proposalId": proposal, "shippingName": "last words"}).encode()
    head = (
        f"POST /core/shippings HTTP/1.1\r\nHost: core\r\nConnection: close\r\n"
        f"Authorization: {alice.headers['Authorization']}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    with socket.create_connection((site.address(one), 8102), 10) as raw, raw.makefile("rb") as read:
        raw.sendall(head.encode() + body[:10])
        time.sleep(0.5)
        stopping = threading.Thread(target=site.bash, args=(f"docker stop {one}",))
        stopping.start()
        time.sleep(1.5)
        raw.sendall(body[10:])
        assert read.readline().split()[1] == b"201"
    stopping.join()
    assert site.bash(f"docker inspect --format '{{{{.State.ExitCode}}}}' {one}").strip() == "0"
    assert booked(alice, "last words") == 1
    site.bash(f"docker start {one}")


# The database goes away


def test_without_the_database_it_is_said_quickly(site: Site, alice: Caller) -> None:
    site.bash("docker compose stop mariadb")
    for path in (PROPOSALS, "/ssx/runs"):
        begun = time.monotonic()
        answer = alice.ask(path, seconds=30)
        assert (answer.status_code, time.monotonic() - begun < DOWN_TOLD_WITHIN) == (503, True)
        assert int(answer.headers["Retry-After"]) > 0
    site.bash("docker compose start mariadb")
    wait_for(lambda: all_is_well(site), BACK_WITHIN)


def test_a_killed_database_comes_back_with_its_rows(site: Site, alice: Caller) -> None:
    name = named("before-the-crash")
    assert book(alice, name).status_code == 201
    site.crash(site.containers("mariadb")[0])
    wait_for(lambda: all_is_well(site), BACK_WITHIN)
    assert booked(alice, name) == 1


def test_the_database_is_restarted(site: Site) -> None:
    site.page("restart-database")
    wait_for(lambda: all_is_well(site), BACK_WITHIN)


# Who calls


def test_behind_the_site_s_own_proxy(site: Site, tmp_path: Path) -> None:
    """TLS ends there, addresses are given as clients call, and the client's own is known."""
    front = "$(docker network ls --quiet --filter name=_front)"
    form = "{{(index .IPAM.Config 0).Gateway}}"
    trusted = site.bash(f"docker network inspect --format '{form}' {front}").strip()
    port = int(site.url.rpartition(":")[2])
    with TlsProxy(tmp_path, port) as proxy:
        site.set(ISPYB_URL=proxy.url, TRUSTED_PROXIES=trusted)
        site.page("behind-a-proxy")
        wait_for(lambda: all_is_well(site), BACK_WITHIN)
        with requests.Session() as client:
            client.trust_env = False  # else a bundle that the environment names goes before ours
            client.verify = str(proxy.certificate)
            metadata = "/.well-known/oauth-authorization-server/auth"
            told = client.get(f"{proxy.url}{metadata}", timeout=9)
            assert told.status_code == 200
            assert told.json()["token_endpoint"] == f"{proxy.url}/auth/token"
            stranger = named("nobody")
            answer = client.post(
                f"{proxy.url}/auth/login",
                json={"login": stranger, "password": named("wrong")},
                headers={"X-Forwarded-For": "203.0.113.9"},
                timeout=9,
            )
            assert answer.status_code == 401
    wait_for(lambda: site.lines(login=stranger, event="login refused"), READ_WITHIN)
    assert {line["address"] for line in site.lines(login=stranger, event="login refused")} == {
        "127.0.0.1"
    }
    site.set(ISPYB_URL=site.url, TRUSTED_PROXIES="")
    site.bash("docker compose up --detach --wait")
    wait_for(lambda: all_is_well(site), BACK_WITHIN)


# Keys, versions, copies


def key_of(token: str) -> str:
    """The id of the key that signed a token."""
    head = token.removeprefix("Bearer ").partition(".")[0]
    kid: str = json.loads(base64.urlsafe_b64decode(head + "=" * (-len(head) % 4)))["kid"]
    return kid


def test_new_keys_refuse_nobody(site: Site, alice: Caller) -> None:
    newest = [alice]
    with (
        readers(site, alice) as old,
        under_load(f"{site.url}{PROPOSALS}", lambda: newest[-1].headers) as new,
    ):
        site.page("rotate-keys")
        deadline = time.monotonic() + LEAD + 40
        while len({key_of(each.headers["Authorization"]) for each in newest}) < 2:
            assert time.monotonic() < deadline
            time.sleep(1)
            newest.append(Caller(site.url, "alice"))
        time.sleep(3)
    assert nothing_failed(old)
    assert nothing_failed(new)


def test_an_upgrade_costs_no_read(site: Site, alice: Caller) -> None:
    site.bash("docker compose up --detach --wait --no-recreate")  # one core again
    wait_for(lambda: all_is_well(site), BACK_WITHIN)
    for image in ("auth", "core", "ssx", "init", "gateway"):
        site.bash(f"docker tag pyispyb-{image}:dev pyispyb-{image}:next")
    site.set(PYISPYB_TAG="next")
    name = named("under-the-old-one")
    assert book(alice, name).status_code == 201
    with readers(site, alice) as core, readers(site, alice, "/ssx/runs") as ssx:
        site.page("upgrade", seconds=400)
    assert nothing_failed(core)
    assert nothing_failed(ssx)
    for service in ("auth", "core", "ssx"):
        for one in site.containers(service):
            image = site.bash(f"docker inspect --format '{{{{.Config.Image}}}}' {one}").strip()
            assert image == f"pyispyb-{service}:next"
    site.bash("docker compose up --detach --wait")
    wait_for(lambda: all_is_well(site), BACK_WITHIN)
    assert booked(Caller(site.url, "alice"), name) == 1


def test_rows_come_back_from_a_copy(site: Site, alice: Caller) -> None:
    tables = (
        "pyispyb_core.`Change`",
        "pyispyb_ssx.Run",
        "pyispyb_auth.RefreshFamily",
        "ispyb.Shipping",
    )
    count = " UNION ALL ".join(f"SELECT count(*) FROM {table}" for table in tables)
    before = site.sql(count)
    site.page("backup")
    assert book(alice, "after the copy").status_code == 201
    site.sql("DROP DATABASE pyispyb_core; DELETE FROM pyispyb_ssx.RunTotal")
    site.page("restore")
    assert site.sql(count) == before
    wait_for(lambda: all_is_well(site), BACK_WITHIN)  # the gateway has to find the services anew
    assert booked(alice, "after the copy") == 0
    assert book(alice, "after the restore").status_code == 201


def test_images_travel_as_a_file(site: Site, alice: Caller) -> None:
    site.page("save-images")
    site.bash("docker rmi --force pyispyb-ssx:next")
    with pytest.raises(AssertionError):
        site.bash("docker image inspect pyispyb-ssx:next")
    site.page("load-images")
    (site.root / "images.tar").unlink()
    site.bash("docker image inspect pyispyb-ssx:next")
    wait_for(lambda: alice.is_served("/ssx/runs"), BACK_WITHIN)


def test_a_person_is_forgotten(site: Site) -> None:
    oscar = Caller(site.url, "oscar")
    assert "forgot of oscar" in site.page("forget")
    wait_for(lambda: not oscar.is_served(PROPOSALS), BACK_WITHIN)


# At the end: what all of this left in the logs


def test_no_secret_is_in_any_log(site: Site, request: pytest.FixtureRequest) -> None:
    watch = request.config.pluginmanager.getplugin("secrets-watch")
    wanted = [*watch.secrets(), *secrets_of(site)]
    assert len(wanted) >= 8
    # What it shows is no log: the demo's passwords are on a screen.
    screens = site.bash("docker compose ps --all --no-trunc --quiet welcome").split()
    logs = [
        log
        for log in site.engine.containers.glob("*/*-json.log*")
        if log.stat().st_size and log.parent.name not in screens
    ]
    kept = site.root.parent / "received"
    if site.engine.private:
        site.bash(f"docker compose cp logs:/log-store/lines.jsonl {kept}")
    else:
        query = f"{site.logs}/select/logsql/query"
        with requests.post(query, data={"query": "*"}, timeout=60, stream=True) as answer:
            kept.write_bytes(answer.content)
    assert len(logs) > len(SERVERS)
    assert [str(leak) for leak in secrets_watch.leaks([*logs, kept], wanted)] == []


def secrets_of(site: Site) -> Iterator[tuple[str, str]]:
    """What the volumes hold: passwords of the database, private keys."""
    for service in ("auth", "core", "ssx"):
        url = site.inside(service, "print(open('/run/pyispyb/database_url').read())")
        yield f"the password of {service}", url.partition("@")[0].rpartition(":")[2]
    root = site.bash("docker compose exec --no-TTY mariadb cat /run/pyispyb/root_password")
    yield "the root password", root.strip()
    keys = "docker compose exec --no-TTY auth sh -c 'cat /var/lib/pyispyb/keys/*.pem'"
    for line in site.bash(keys).splitlines():
        if line and not line.startswith("-"):
            yield "a private key", line


# Another database, no log page


def test_a_site_brings_its_own_database_and_log(site: Site) -> None:
    """The rows of before, behind another name and other accounts: a site's, as we see it."""
    password, secret = named("site"), named("person")
    secrets_watch.note("password", password)
    hashed = site.bash(f"docker compose exec --no-TTY auth pyispyb-auth hash-password <<< {secret}")
    people = f'[accounts.alice]\npassword_hash = "{hashed.strip()}"\n'
    add = "docker compose exec --no-TTY auth sh -c 'umask 077; cat > /var/lib/pyispyb/people.toml'"
    site.bash(f"{add} << 'END'\n{people}END")
    rows = booked(Caller(site.url, "alice"), "in containers")
    for service, databases in DATABASES.items():
        site.sql(f"CREATE USER site_{service}@'%' IDENTIFIED BY '{password}'")
        for database in databases:
            site.sql(f"GRANT ALL ON {database}.* TO site_{service}@'%'")
        file = site.root / f"{service}_database_url"
        url = f"mariadb+pymysql://site_{service}:{password}@site-database/{databases[0]}"
        file.write_text(url)
        file.chmod(0o400)
        os.chown(file, 10001, 10001)
        site.set(**{f"{service.upper()}_DATABASE_URL_FILE": f"./{file.name}"})
    site.bash(
        "docker compose stop mariadb"
        " && docker compose run --detach --no-deps --name site-database mariadb"
    )
    config = (site.root / "site.toml").read_text()
    config = config.replace("{state}/demo/accounts.toml", "{state}/people.toml")
    (site.root / "site.toml").write_text(config)
    site.set(MARIADB="0", LOGS="0", ISPYB_ENVIRONMENT="production")
    site.page("site-database")
    for service in ("mariadb", "collector", "logs"):
        assert site.containers(service) == [], service
    wait_for(lambda: logs_in(site, secret), BACK_WITHIN)
    alice = Caller(site.url, "alice", secret)
    assert booked(alice, "in containers") == rows == 1
    assert book(alice, "in the site's own").status_code == 201
    site.bash("docker stop --time 5 site-database && docker rm site-database")


def test_the_page_has_no_block_that_nobody_runs() -> None:
    drill = Path(__file__).read_text(encoding="utf-8")
    run = set(re.findall(r'(?:site\.page|found)\("([a-z-]+)"', drill))
    assert set(commands()) == run
