"""The command line: what it prints, and how it ends."""

import re
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.gateway.stand import ROOT, Stand, environment
from tests.gateway.tokens import Key

from pyispyb_chassis.configuration import Suite
from pyispyb_gateway.cli import path_table
from pyispyb_gateway.fill import values
from pyispyb_gateway.settings import GatewaySettings

README = (ROOT / "gateway" / "README.md").read_text()
FILE = ROOT / "gateway" / "kong.yml"


@pytest.fixture
def unstarted(tmp_path: Path) -> Iterator[Stand]:
    found = Stand(tmp_path, [Key("now")])
    yield found
    found.stop()


def call(stand: Stand, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        stand.command(*arguments),
        capture_output=True,
        text=True,
        check=False,
        env=environment(),
        cwd=ROOT,
        timeout=60,
    )


def test_lint_says_nothing_of_our_file(unstarted: Stand) -> None:
    answer = call(unstarted, "lint")
    assert (answer.returncode, answer.stdout, answer.stderr) == (0, "", "")


def test_lint_names_a_fault(unstarted: Stand) -> None:
    path = unstarted.folder / "kong.yml"
    text = FILE.read_text().replace("key_claim_name: kid", "key_claim_name: iss")
    path.write_text(text)
    answer = call(unstarted, "lint", str(path))
    line = text[: text.index("key_claim_name")].count("\n") + 1
    assert answer.returncode == 1
    assert answer.stdout.startswith(f"{path}:{line}: jwt-key-claim: ")


@pytest.mark.parametrize(
    ("text", "said"),
    [(None, "cannot be read"), ("a: [", ":1: not YAML"), ("- a", "holds no mapping")],
)
def test_lint_of_no_file(unstarted: Stand, text: str | None, said: str) -> None:
    path = unstarted.folder / "kong.yml"
    if text is not None:
        path.write_text(text)
    answer = call(unstarted, "lint", str(path))
    assert answer.returncode == 1
    assert said in answer.stderr
    assert answer.stderr.count("\n") == 1


def test_a_file_with_a_fault_is_not_started(unstarted: Stand) -> None:
    path = unstarted.folder / "kong.yml"
    path.write_text(FILE.read_text().replace("strip_path: false", "strip_path: true"))
    with unstarted.configuration.open("a") as file:
        file.write(f'file = "{path}"\n')
    unstarted.start_service("auth")
    answer = call(unstarted, "run")
    assert answer.returncode == 1
    assert "strip-path" in answer.stderr


def test_a_busy_port_is_one_line(unstarted: Stand) -> None:
    port = unstarted.ports["gateway"]
    with socket.create_server(("127.0.0.1", port)):
        answer = call(unstarted, "run")
    assert answer.returncode == 1
    assert f"127.0.0.1:{port}: Address already in use" in answer.stderr
    assert answer.stderr.count("\n") == 1


def test_no_keys_is_one_line(unstarted: Stand) -> None:
    with unstarted.configuration.open("a") as file:
        file.write("keys_within = 0.5\n")
    answer = call(unstarted, "run")
    assert answer.returncode == 1
    assert re.fullmatch(r"pyispyb-gateway: issuers\.suite: no keys at .*\n", answer.stderr)


def test_a_second_gateway_does_not_share_the_port(unstarted: Stand) -> None:
    unstarted.start()
    answer = call(unstarted, "run")
    assert answer.returncode == 1
    assert "Address already in use" in answer.stderr


def test_rendering_is_the_same_each_time(unstarted: Stand) -> None:
    unstarted.start_service("auth")
    for form in ("kong", "envoy"):
        paths = [unstarted.folder / f"{form}{number}" for number in range(2)]
        for path in paths:
            assert call(unstarted, "render", "--for", form, "-o", str(path)).returncode == 0
        assert paths[0].read_bytes() == paths[1].read_bytes()
        assert "${" not in paths[0].read_text()


def test_the_path_table_of_the_readme_is_what_show_prints(unstarted: Stand) -> None:
    printed = call(unstarted, "show").stdout
    given = values(GatewaySettings(), Suite(), [])
    assert printed == "".join(f"| {' | '.join(row)} |\n" for row in path_table(FILE, given))
    assert printed in README


def test_the_readme_names_every_setting() -> None:
    named = re.findall(r"^\| `(\w+)` \|", README, re.M)
    assert named == list(GatewaySettings.model_fields)


def test_the_readme_names_every_command(unstarted: Stand) -> None:
    usage = call(unstarted, "--help").stdout
    [commands] = re.findall(r"\{([a-z,]+)\}", usage.partition("\n\n")[0])
    for command in commands.split(","):
        assert f"pyispyb-gateway {command}" in README
