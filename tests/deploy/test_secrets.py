"""The secrets of the containers: given, made, kept, and the same however many start at once."""

import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from pyispyb_deploy.secrets import CannotPrepare, make_secrets, urls_in

COMMAND = Path(sys.executable).with_name("pyispyb-deploy")
SITE = "mariadb+pymysql://ispyb:a-password@db.example.org/ispyb"
OTHER = "mariadb+pymysql://ispyb:another@db.example.org/ispyb"
ALL = {name: SITE.replace("/ispyb", f"/{name}") for name in ("auth", "core", "ssx")}


def given(folder: Path, files: Mapping[str, str]) -> Path:
    """A folder as compose makes it: a file each, empty where the site gives nothing."""
    folder.mkdir(exist_ok=True)
    names = ("auth_database_url", "core_database_url", "ssx_database_url", "mariadb_root_password")
    for name in names:
        (folder / name).write_text(files.get(name, ""), encoding="utf-8")
    return folder


def held(folder: Path) -> dict[str, str]:
    """Every secret that lies there."""
    files = (file for file in folder.glob("*/*") if not file.name.startswith("."))
    return {str(file.relative_to(folder)): file.read_text() for file in files}


@pytest.fixture
def secrets(tmp_path: Path) -> Path:
    """The volumes, empty."""
    for name in ("auth", "core", "ssx", "mariadb"):
        (tmp_path / "secrets" / name).mkdir(parents=True)
    return tmp_path / "secrets"


def test_what_nobody_gives_is_made_for_one_user_only_and_kept(
    tmp_path: Path, secrets: Path
) -> None:
    assert len(make_secrets(given(tmp_path / "given", {}), secrets, bundled=True)) == 4
    first = held(secrets)
    assert sorted(first) == [
        "auth/database_url",
        "core/database_url",
        "mariadb/root_password",
        "ssx/database_url",
    ]
    assert {file.stat().st_mode & 0o777 for file in secrets.glob("*/*")} == {0o600}
    assert len({secret.partition("@")[0] for secret in first.values()}) == 4
    assert all(len(secret) > 30 for secret in first.values())
    assert make_secrets(tmp_path / "given", secrets, bundled=True) == []
    assert held(secrets) == first


@pytest.mark.parametrize(
    ("first", "then", "core"),
    [
        ({"core_database_url": SITE}, {}, SITE),
        ({"core_database_url": SITE}, {"core_database_url": OTHER}, OTHER),
        ({}, {"core_database_url": SITE + "\n"}, SITE),
    ],
)
def test_what_the_site_gives_is_taken(
    tmp_path: Path, secrets: Path, first: dict[str, str], then: dict[str, str], core: str
) -> None:
    for files in (first, then):
        make_secrets(given(tmp_path / "given", files), secrets, bundled=True)
    assert urls_in(secrets)["core"] == core
    assert "@mariadb:3306/" in urls_in(secrets)["auth"]


@pytest.mark.parametrize(
    ("files", "said"),
    [
        ({"core_database_url": SITE}, ["auth_database_url: is not given", "ssx_database_url: is"]),
        ({}, ["auth_database_url: is", "core_database_url: is", "ssx_database_url: is"]),
        (
            {f"{name}_database_url": "no url" for name in ALL},
            ["auth_database_url: is not a database URL", "core_", "ssx_"],
        ),
        (
            {
                f"{name}_database_url": url.replace("db.example.org", "mariadb")
                for name, url in ALL.items()
            },
            ["auth_database_url: names our own database", "core_", "ssx_"],
        ),
    ],
)
def test_without_our_database_every_url_is_the_site_s(
    tmp_path: Path, secrets: Path, files: dict[str, str], said: list[str]
) -> None:
    with pytest.raises(CannotPrepare) as caught:
        make_secrets(given(tmp_path / "given", files), secrets, bundled=False)
    lines = str(caught.value).splitlines()
    assert len(lines) == len(said)
    assert all(line.startswith(begin) for line, begin in zip(lines, said, strict=True))
    assert "a-password" not in str(caught.value)
    assert held(secrets) == {}, "nothing is half made"


def test_all_three_given_need_nothing_of_ours(tmp_path: Path, secrets: Path) -> None:
    files = {f"{name}_database_url": url for name, url in ALL.items()}
    make_secrets(given(tmp_path / "given", files), secrets, bundled=False)
    assert dict(urls_in(secrets)) == ALL
    assert not (secrets / "mariadb" / "root_password").exists()


def test_ten_starts_at_once_make_one_set(tmp_path: Path, secrets: Path) -> None:
    folder = given(tmp_path / "given", {})
    command = [COMMAND, "secrets", "--given", folder, "--secrets", secrets]
    starts = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(10)]
    said = [start.communicate(timeout=120)[0] for start in starts]
    assert [start.returncode for start in starts] == [0] * 10
    assert sum(text.count(": made") for text in said) == 4
    assert not any(secret in text for secret in held(secrets).values() for text in said)


def test_a_fault_is_a_line_of_the_log_and_exit_1(tmp_path: Path, secrets: Path) -> None:
    folder = given(tmp_path / "given", {})
    command = [COMMAND, "secrets", "--given", folder, "--secrets", secrets, "--bundled", "0"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr == ""
    assert done.stdout.count('"level":"ERROR"') == 3
    assert "MARIADB=0" in done.stdout
