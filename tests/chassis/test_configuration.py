"""The one configuration: file, variables over it, every fault named at once, secrets masked."""

from pathlib import Path

import pytest

from pyispyb_chassis.configuration import (
    BadConfiguration,
    Configuration,
    ServiceSection,
    effective,
    load,
    loaded_or_exit,
)
from pyispyb_core.settings import CoreSettings

ISSUER = '[issuers.a]\nissuer = "https://a"\njwks_url = "https://a/jwks"\n'
OTHER = '[issuers.b]\nissuer = "https://b"\njwks_url = "https://b/jwks"\n'
AUDIENCE = 'audience = "ispyb"\n'
SHIPPED = Path(__file__).parents[2] / "ispyb.toml"


def read(folder: Path, text: str, **variables: str) -> Configuration:
    file = folder / "ispyb.toml"
    file.write_text(text)
    return load(file, variables)


def faults(folder: Path, text: str, **variables: str) -> list[str]:
    """The faults, each without the name of the file before it."""
    with pytest.raises(BadConfiguration) as bad:
        read(folder, text, **variables)
    return [fault.replace(str(folder / "ispyb.toml"), "FILE") for fault in bad.value.faults]


@pytest.mark.parametrize(
    ("text", "variables", "key", "reason"),
    [
        ("colour = 1", {}, "FILE: colour:", "Extra inputs"),
        ("url = 'ftp://x'", {}, "FILE: url:", "pattern"),
        ("url = 'http://x/path'", {}, "FILE: url:", "pattern"),
        ("environment = 'test'", {}, "FILE: environment:", "'local' or 'production'"),
        ("[server]\nworkers = 0", {}, "FILE: server.workers:", "greater than"),
        ("[server]\nworkers = 'many'", {}, "FILE: server.workers:", "integer"),
        ("[server]\nworker = 1", {}, "FILE: server.worker:", "Extra inputs"),
        ("[core]\ndatabase_url = 'nonsense'", {}, "FILE: core.database_url:", "not a database URL"),
        ("[core]\ndatabase_url = 'oracle://x'", {}, "FILE: core.database_url:", "allowed: sqlite"),
        (
            "[core]\ndatabase_url = 'mariadb+pymysql://root:p@ss:word@host/db'",
            {},
            "FILE: core.database_url:",
            "percent-encoded",
        ),
        (
            "[core]\ndatabase_url = 'mariadb+pymysql://root@host'",
            {},
            "FILE: core.database_url:",
            "names no database",
        ),
        ("[core]\nlisten = 'x'", {}, "FILE: core.listen:", "pattern"),
        ("[core]\nlisten = 'a:70000'", {}, "FILE: core.listen:", "from 1 to 65535"),
        (
            "[core]\nlisten = '0.0.0.0:1'\ninside_listen = '127.0.0.1:1'",
            {},
            "FILE: core:",
            "different ports",
        ),
        ("[core]\ncolour = 1", {}, "FILE: core.colour:", "Extra inputs"),
        ("[issuers.a]\nissuer = 'x'", {}, "FILE: issuers.a:", "exactly one of"),
        ("[issuers.a]\nissuer = 'x'\npem_file = 'k'", {}, "FILE: issuers.a:", "needs kid"),
        (ISSUER + "pem_file = 'k'", {}, "FILE: issuers.a:", "exactly one of"),
        (ISSUER + "login_pattern = '['", {}, "FILE: issuers.a:", "regular expression"),
        (
            ISSUER + "algorithms = ['HS256', 'ES256']",
            {},
            "FILE: issuers.a.algorithms.0:",
            "'ES256'",
        ),
        (ISSUER + "revocations_url = 'x'", {}, "FILE: issuers.a.revocations_url:", "pattern"),
        (ISSUER + "algorithms = []", {}, "FILE: issuers.a.algorithms:", "at least 1"),
        (ISSUER + "believes = ['roles']", {}, "FILE: issuers.a.believes", "'groups'"),
        (ISSUER + OTHER, {}, "FILE: the top level:", "needs an audience"),
        (
            ISSUER + AUDIENCE + OTHER + AUDIENCE + "people = false",
            {},
            "FILE: the top level:",
            "says people = true (its logins are ISPyB's Person.login) or false: ['a']",
        ),
        (
            ISSUER + AUDIENCE + ISSUER.replace(".a]", ".b]") + AUDIENCE,
            {},
            "FILE: the top level:",
            "the same",
        ),
        ("", {"ISPYB_URL": "x"}, "ISPYB_URL: url:", "pattern"),
        ("", {"ISPYB_SERVER__THREADS": "x"}, "ISPYB_SERVER__THREADS: server.threads:", "integer"),
        ("", {"ISPYB_COLOUR": "1"}, "ISPYB_COLOUR: colour:", "Extra inputs"),
        ("", {"ISPYB_URL__X": "1"}, "ISPYB_URL__X: url:", ""),
        ("url = 'http://x'", {"ISPYB_URL__X": "1"}, "ISPYB_URL__X: url", "not a table"),
        (
            "",
            {"ISPYB_CORE__DATABASE_URL_FILE": "/nowhere"},
            "ISPYB_CORE__DATABASE_URL_FILE: /nowhere",
            "cannot be read",
        ),
        ("url = ", {}, "FILE:", "not TOML"),
    ],
)
def test_a_fault_is_named_with_its_place_and_reason(
    tmp_path: Path, text: str, variables: dict[str, str], key: str, reason: str
) -> None:
    (fault,) = faults(tmp_path, text, **variables)
    assert fault.startswith(key)
    assert reason in fault


def test_every_fault_is_told_at_once(tmp_path: Path) -> None:
    text = "url = 'x'\ncolour = 1\n[server]\nworkers = 0\n[core]\nlisten = 'x'\n"
    told = faults(tmp_path, text, ISPYB_SSX__LISTEN="y", ISPYB_LOG_LEVEL="LOUD")
    places = {" ".join(fault.split(": ")[:2]) for fault in told}
    assert places == {
        "FILE url",
        "FILE colour",
        "FILE server.workers",
        "FILE core.listen",
        "ISPYB_SSX__LISTEN ssx.listen",
        "ISPYB_LOG_LEVEL log_level",
    }


def test_no_fault_quotes_a_secret(tmp_path: Path) -> None:
    told = faults(tmp_path, "[core]\ndatabase_url = 'oracle://ispyb:geheim@db/x'")
    assert "geheim" not in "".join(told)


def test_a_file_that_is_not_there_is_one_fault(tmp_path: Path) -> None:
    with pytest.raises(BadConfiguration, match="cannot be read") as bad:
        load(tmp_path / "nothing.toml", {})
    assert len(bad.value.faults) == 1


@pytest.mark.parametrize(
    ("text", "variables", "url"),
    [
        ("", {}, "sqlite:///var/db/core.sqlite"),
        ("[core]\ndatabase_url = 'sqlite:///a'", {}, "sqlite:///a"),
        (
            "[core]\ndatabase_url = 'sqlite:///a'",
            {"ISPYB_CORE__DATABASE_URL": "sqlite:///b"},
            "sqlite:///b",
        ),
        ("state = 's'\n[core]\ndatabase_url = 'sqlite:///{state}/a'", {}, "sqlite:///s/a"),
        (
            "state = 's'\n[core]\ndatabase_url = 'sqlite:///{state}/a'",
            {"ISPYB_STATE": "t"},
            "sqlite:///t/a",
        ),
    ],
)
def test_variables_lie_over_the_file_and_the_file_over_the_defaults(
    tmp_path: Path, text: str, variables: dict[str, str], url: str
) -> None:
    settings = read(tmp_path, text, **variables).section(CoreSettings)
    assert settings.database_url.get_secret_value() == url


def test_a_secret_from_a_file(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("mariadb+pymysql://u:geheim@db/ispyb\n")
    settings = read(tmp_path, "", ISPYB_CORE__DATABASE_URL_FILE=str(secret)).section(CoreSettings)
    assert settings.database_url.get_secret_value() == "mariadb+pymysql://u:geheim@db/ispyb"


@pytest.mark.parametrize(
    ("variables", "key", "value"),
    [
        ({"ISPYB_SERVER__WORKERS": "7"}, "server.workers", "7"),
        ({"ISPYB_URL": "https://ispyb.example.org"}, "url", "https://ispyb.example.org"),
        ({"ISPYB_CORE__CLOSED_PROPOSAL_CODES": '["IN", "IX"]'}, "core.closed_proposal_codes", "IX"),
        (
            {"ISPYB_ISSUERS__SUITE__PEM_FILE": "k.pem", "ISPYB_ISSUERS__SUITE__KID": "k"}
            | {"ISPYB_ISSUERS__SUITE__ISSUER": "https://i"},
            "issuers.suite.pem_file",
            "k.pem",
        ),
    ],
)
def test_every_kind_of_setting_can_be_a_variable(
    tmp_path: Path, variables: dict[str, str], key: str, value: str
) -> None:
    assert value in dict(effective(read(tmp_path, "", **variables)))[key]


def test_what_is_in_force_is_shown_with_secrets_masked(tmp_path: Path) -> None:
    text = "[core]\ndatabase_url = 'mariadb+pymysql://ispyb:geheim@db/ispyb'"
    shown = dict(effective(read(tmp_path, text)))
    assert shown["core.database_url"] == "mariadb+pymysql://ispyb:***@db/ispyb"
    assert "geheim" not in "".join(shown.values())


def test_settings_are_frozen(tmp_path: Path) -> None:
    suite = read(tmp_path, "").suite
    with pytest.raises(ValueError, match="frozen"):
        suite.url = "http://elsewhere"


def test_the_shipped_file_is_right_and_each_service_has_ports_of_its_own() -> None:
    shown = dict(effective(load(SHIPPED, {})))
    ports = [value for key, value in shown.items() if key.endswith("listen")]
    assert len(set(ports)) == len(ports) >= 4


def test_a_command_line_stops_with_the_faults(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "ispyb.toml"
    file.write_text("colour = 1\nshape = 2\n")
    with pytest.raises(SystemExit) as stopped:
        loaded_or_exit(file)
    assert str(stopped.value).splitlines() == [
        f"{file}: colour: Extra inputs are not permitted",
        f"{file}: shape: Extra inputs are not permitted",
    ]
    assert capsys.readouterr().out == ""


def test_a_service_needs_two_ports() -> None:
    with pytest.raises(ValueError, match="different ports"):
        ServiceSection(listen="a:1", inside_listen="b:1", prefix="/a")


def test_what_is_no_text_is_one_fault_each_and_tells_no_secret(tmp_path: Path) -> None:
    (tmp_path / "ispyb.toml").write_bytes(b"url = '\xff'")
    secret = tmp_path / "secret"
    secret.write_bytes(b"\xff\xfe")
    variables = {
        "ISPYB_CORE__DATABASE_URL_FILE": str(secret),
        "ISPYB_AUTH__DATABASE_URL": "mariadb+pymysql://root:p@ss:Secret1@host/db",
    }
    with pytest.raises(BadConfiguration) as raised:
        load(tmp_path / "ispyb.toml", variables)
    assert len(raised.value.faults) == 3
    assert "Secret1" not in str(raised.value)
