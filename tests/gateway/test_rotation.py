"""Keys that change while the gateway runs: followed without a failed request, and never lost."""

import http.client
import json
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import yaml
from tests.gateway.stand import ROOT, Stand, environment
from tests.gateway.test_keys import Server
from tests.gateway.tokens import Key, bearer

from pyispyb_chassis.configuration import Issuer
from pyispyb_gateway.keyring import Keyring
from pyispyb_gateway.keys import NoKeys

OLD, NEW = Key("old"), Key("new")
EVERY = 0.3


@pytest.fixture
def stand(tmp_path: Path) -> Iterator[Stand]:
    found = Stand(tmp_path, [OLD], keys_every=EVERY, rate_per_token=10**6)
    yield found
    found.stop()


def publish(stand: Stand, *keys: Key) -> None:
    fresh = stand.jwks.with_suffix(".new")
    fresh.write_text(json.dumps({"keys": [key.web_key for key in keys]}))
    fresh.replace(stand.jwks)


def wait_for(holds: Callable[[], bool], within: float = 20) -> None:
    until = time.monotonic() + within
    while not holds():
        assert time.monotonic() < until
        time.sleep(0.1)


class Load:
    """Callers that keep their connection and callers that do not, all with the present token."""

    def __init__(self, stand: Stand) -> None:
        self.stand, self.token = stand, OLD.token()
        self.over = threading.Event()
        self.statuses: list[int] = []
        jobs = [self._kept, self._kept, self._fresh, self._fresh]
        self.threads = [threading.Thread(target=job) for job in jobs]

    def __enter__(self) -> "Load":
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.over.set()
        for thread in self.threads:
            thread.join()

    def more(self, requests: int) -> None:
        """Wait until so many more have been answered."""
        wanted = len(self.statuses) + requests
        wait_for(lambda: len(self.statuses) >= wanted, within=60)

    def _kept(self) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", self.stand.ports["gateway"])
        while not self.over.is_set():
            connection.request("GET", "/core/proposals", headers=bearer(self.token))
            answer = connection.getresponse()
            answer.read()
            self.statuses.append(answer.status)
        connection.close()

    def _fresh(self) -> None:
        while not self.over.is_set():
            answer = self.stand.ask("/core/proposals", headers=bearer(self.token))
            self.statuses.append(answer.status)


def test_a_rotation_under_load(stand: Stand) -> None:
    def accepted(key: Key) -> bool:
        return stand.ask("/ssx/runs", headers=bearer(key.token())).status == 200

    stand.start()
    with Load(stand) as load:
        load.more(600)
        assert not accepted(NEW)
        publish(stand, OLD, NEW)
        wait_for(lambda: accepted(NEW))
        assert accepted(OLD)
        load.more(600)
        load.token = NEW.token()
        load.more(600)
        publish(stand, NEW)
        wait_for(lambda: not accepted(OLD))
        load.more(600)
    assert set(load.statuses) == {200}
    assert len(load.statuses) >= 2400


def test_the_last_good_keys_are_kept(stand: Stand) -> None:
    stand.start()
    for nonsense in ("", "[]", '{"keys": []}', '{"keys": ["x"]}', '{"keys": [{"kid": "old"}]}'):
        stand.jwks.write_text(nonsense)
        time.sleep(EVERY * 3)
        assert stand.ask("/core/proposals", headers=bearer(OLD.token())).status == 200
    stand.processes["auth"].kill()
    stand.processes["auth"].wait()
    time.sleep(EVERY * 3)
    assert stand.ask("/core/proposals", headers=bearer(OLD.token())).status == 200
    publish(stand, NEW)
    stand.start_service("auth")
    wait_for(lambda: stand.ask("/core/proposals", headers=bearer(NEW.token())).status == 200)
    lines = [json.loads(line) for line in stand.log.read_text().splitlines()]
    kept = [line for line in lines if line["message"] == "the last keys of an issuer are kept"]
    assert {(line["level"], line["issuer"]) for line in kept} == {("WARNING", "suite")}
    assert {tuple(line["kids"]) for line in kept} == {("old",)}
    reasons = [line["reason"] for line in kept]
    assert 5 <= len(reasons) <= 7  # a line for each fault, not for each look
    [followed] = [line for line in lines if line["message"].startswith("the gateway follows")]
    assert followed["kids"] == ["new"]


def test_an_issuer_that_is_down_keeps_nobody_out(stand: Stand, tmp_path: Path) -> None:
    (tmp_path / "site").mkdir()
    site = Server(tmp_path / "site")
    text = stand.configuration.read_text().replace(
        "[gateway]",
        f"""audience = "ispyb"
people = true
[issuers.site]
issuer = "https://site"
audience = "ispyb"
people = false
jwks_url = "{site.issuer().jwks_url}"
[gateway]
keys_within = 0.5""",
    )
    stand.configuration.write_text(text)
    site.file.write_text(json.dumps({"keys": [NEW.web_key]}))
    try:
        stand.start()
        assert stand.ask("/core/proposals", headers=bearer(OLD.token())).status == 200
        assert stand.ask("/core/proposals", headers=bearer(NEW.token())).status == 401
        site.start()
        wait_for(lambda: stand.ask("/core/proposals", headers=bearer(NEW.token())).status == 200)
        assert stand.ask("/core/proposals", headers=bearer(OLD.token())).status == 200
    finally:
        site.stop()


def test_the_file_for_kong_follows(stand: Stand) -> None:
    def kids() -> list[str]:
        tree = yaml.safe_load(file.read_text())
        return [key["key"] for key in tree["consumers"][0]["jwt_secrets"]]

    file = stand.folder / "filled" / "kong.yml"
    stand.start_service("auth")
    command = stand.command("watch", "--for", "kong", "-o", str(file))
    watching = subprocess.Popen(command, env=environment(), cwd=ROOT, stdout=subprocess.DEVNULL)
    stand.processes["watch"] = watching
    wait_for(file.exists)
    first = file.stat()
    assert (kids(), first.st_mode & 0o777) == (["old"], 0o644)
    stand.jwks.write_text("nonsense")
    time.sleep(EVERY * 3)
    assert file.stat().st_ino == first.st_ino
    publish(stand, OLD, NEW)
    wait_for(lambda: kids() == ["old", "new"])
    assert [path.name for path in file.parent.iterdir()] == ["kong.yml"]
    watching.send_signal(signal.SIGTERM)
    assert watching.wait(timeout=10) == 0
    stand.processes["auth"].kill()
    stand.processes["auth"].wait()
    with stand.configuration.open("a") as configuration:
        configuration.write("keys_within = 0.5\n")
    again = subprocess.run(
        command,
        env=environment(),
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert again.returncode == 1
    assert again.stderr.count("\n") == 1
    assert kids() == ["old", "new"]


def test_a_later_issuer_cannot_take_the_kid_of_another(tmp_path: Path) -> None:
    own, foreign = tmp_path / "own.pem", Server(tmp_path)
    own.write_text(OLD.pem)
    foreign.file.write_text(json.dumps({"keys": [Key("old").web_key]}))
    foreign.start()
    issuers = {
        "suite": Issuer(issuer="suite", pem_file=own, kid="old", audience="ispyb"),
        "site": foreign.issuer(audience="ispyb"),
    }
    try:
        keyring = Keyring(issuers)
        keyring.wait(0.3)
        assert [key["rsa_public_key"] for key in keyring.credentials] == [OLD.pem]
        foreign.file.write_text(json.dumps({"keys": [NEW.web_key]}))
        assert keyring.look()
        assert [key["key"] for key in keyring.credentials] == ["old", "new"]
        own.write_text("nonsense")
        assert not keyring.look()
    finally:
        foreign.stop()


def test_a_file_that_is_no_key_is_a_wrong_setting(tmp_path: Path) -> None:
    own = tmp_path / "own.pem"
    own.write_text("nonsense")
    started = time.monotonic()
    with pytest.raises(NoKeys, match=r"own\.pem: not a key"):
        Keyring({"suite": Issuer(issuer="suite", pem_file=own, kid="old")}).wait(30)
    assert time.monotonic() - started < 15
