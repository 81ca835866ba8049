"""Signing keys and account files as they lie on disk, and the command line that makes them."""

import os
import stat
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from tests.auth.conftest import COMMAND, Auth, run, write_configuration
from tests.cast import MXCUBE
from tests.peers.http import Answering

from pyispyb_auth.demo import PEOPLE, SERVICE, SERVICE_SCOPE
from pyispyb_auth.operations import keys
from pyispyb_chassis.administrators import is_administrator
from pyispyb_chassis.configuration import load
from pyispyb_chassis.permissions import Permission
from pyispyb_chassis.tokens import Verifier

ROOT = Path(__file__).parents[2]
CAST = (*PEOPLE, SERVICE)


def test_keys_are_private_and_made_once_by_many_starts(tmp_path: Path) -> None:
    folder = tmp_path / "keys"
    code = (
        "import sys; from pathlib import Path; from pyispyb_auth.operations import keys;"
        "print(*[key.kid for key in keys.initialise(Path(sys.argv[1]))])"
    )
    starts = [
        subprocess.Popen([sys.executable, "-c", code, folder], stdout=subprocess.PIPE, text=True)
        for _ in range(4)
    ]
    kids = {start.communicate(timeout=60)[0].strip() for start in starts}
    assert len(kids) == 1
    assert [key.kid for key in keys.keys_in(folder)] == list(kids)
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert {stat.S_IMODE(file.stat().st_mode) for file in folder.iterdir()} == {0o600}


def pem(curve: ec.EllipticCurve) -> bytes:
    return ec.generate_private_key(curve).private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("20260101T000000Z-x.pem", b"nonsense", "not a readable private key"),
        ("20260101T000000Z-x.pem", pem(ec.SECP384R1()), "not an ES256 key"),
        ("key.pem", pem(ec.SECP256R1()), "a key's name is <time>-<kid>.pem"),
    ],
)
def test_an_unusable_key_is_one_line(tmp_path: Path, name: str, content: bytes, said: str) -> None:
    file = write_configuration(tmp_path, "sqlite://")
    (tmp_path / "keys").mkdir()
    (tmp_path / "keys" / name).write_bytes(content)
    done = run(file, "keys", "init")
    assert done.returncode == 1
    assert said in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_a_folder_that_cannot_be_made_is_one_line(tmp_path: Path) -> None:
    file = write_configuration(tmp_path, "sqlite://")
    (tmp_path / "keys").write_text("no folder")
    done = run(file, "keys", "init")
    assert done.returncode == 1
    assert "no signing key can be made" in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_all_keys_are_published_and_a_new_one_signs_later(make_auth: Callable[..., Auth]) -> None:
    auth = make_auth()
    (auth.folder / "keys" / "20991231T235959Z-newer.pem").write_bytes(pem(ec.SECP256R1()))
    again = make_auth()
    published = again.client.get("/auth/.well-known/jwks.json").get_json()["keys"]
    assert published[0]["kid"] == "newer"
    assert len(published) == 2
    assert all("d" not in key for key in published)
    assert jwt.get_unverified_header(again.log_in()["token"])["kid"] == published[1]["kid"]
    listed = run(auth.file, "keys", "list").stdout.splitlines()
    assert [line.split()[0] for line in listed] == [key["kid"] for key in published]
    said = [line.split("Z  ", 1)[1] for line in listed]
    assert said == ["published, signs from 2100-01-01 00:01:59Z", "signs"]


def test_a_changed_accounts_file_counts_at_once_and_a_broken_one_does_not(
    make_auth: Callable[..., Auth],
) -> None:
    auth = make_auth()
    file = auth.folder / "accounts.toml"
    hashed = run(auth.file, "hash-password", given="new word\n").stdout.strip()
    file.write_text(f'[accounts.newcomer]\npassword_hash = "{hashed}"\n')
    assert auth.post("/login", login="newcomer", password="new word").status_code == 200
    assert auth.post("/login", login="alice", password="alice-demo").status_code == 401
    file.write_text("[accounts.newcomer\n")
    assert auth.post("/login", login="newcomer", password="new word").status_code == 200


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[accounts.a]\n", "accounts.a.password_hash"),
        ('[accounts.a]\npassword_hash = "plain"\n', "accounts.a.password_hash"),
        ('[accounts.a]\npassword_hash = "$argon2id$x"\ncolour = 1\n', "not an argon2id hash"),
        ('[accounts.a]\npassword_hash = "$argon2id$x"\ncolour = 1\n', "accounts.a.colour"),
        ('[accounts."a b"]\npassword_hash = "x"\n', "accounts.a b"),
        ("no toml", "not TOML"),
        (None, "cannot be read"),
    ],
)
def test_an_unusable_accounts_file_stops_the_start(
    tmp_path: Path, text: str | None, said: str
) -> None:
    file = write_configuration(tmp_path, f"sqlite:///{tmp_path / 'auth.sqlite'}")
    if text is not None:
        (tmp_path / "accounts.toml").write_text(text)
    ports = {
        "ISPYB_AUTH__LISTEN": "127.0.0.1:22401",
        "ISPYB_AUTH__INSIDE_LISTEN": "127.0.0.1:22402",
    }
    done = run(file, "serve", **ports)
    assert done.returncode == 1
    assert said in done.stderr
    assert "Traceback" not in done.stderr


def test_production_refuses_the_demo_accounts(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'auth.sqlite'}"
    file = write_configuration(tmp_path, url)
    assert run(file, "demo").returncode == 0
    assert stat.S_IMODE((tmp_path / "accounts.toml").stat().st_mode) == 0o600
    production = write_configuration(tmp_path, url, environment="production")
    ports = {
        "ISPYB_AUTH__LISTEN": "127.0.0.1:22403",
        "ISPYB_AUTH__INSIDE_LISTEN": "127.0.0.1:22404",
    }
    refused = run(production, "serve", **ports)
    assert refused.returncode == 1
    (line,) = refused.stderr.splitlines()
    assert line.endswith("does not start: alice, bob, carol, dave, erin, oscar, mxcube")
    assert str(tmp_path / "accounts.toml") in line
    assert run(production, "demo").returncode == 1


def test_a_password_is_never_an_argument_and_never_empty(tmp_path: Path) -> None:
    file = write_configuration(tmp_path, "sqlite://")
    assert run(file, "hash-password", "secret").returncode == 2
    assert run(file, "hash-password", given="\n").returncode == 1
    assert run(file, "hash-password", given="word\n").stdout.startswith("$argon2id$")


def test_the_demo_service_account_is_the_one_that_all_tests_know() -> None:
    assert set(SERVICE_SCOPE) == set(MXCUBE.claims["scope"].split())
    assert set(SERVICE_SCOPE) <= {str(one) for one in Permission}


def test_the_demo_has_one_administrator_and_the_shipped_file_believes_it(auth: Auth) -> None:
    suite = load(ROOT / "ispyb.toml", environ={}).suite
    key = auth.client.get("/auth/.well-known/jwks.json").get_json()
    with Answering(key) as jwks:
        block = suite.issuers["suite"].model_copy(update={"jwks_url": jwks.url})
        verifier = Verifier({"suite": block})
        callers = [verifier.verify([f"Bearer {auth.log_in(one)['token']}"]) for one in CAST]
    found = [one.login for one in callers if is_administrator(one, suite.administrators)]
    assert found == ["erin"]


def test_tables_are_made_once_by_many_starts(each_database: str, tmp_path: Path) -> None:
    file = write_configuration(tmp_path, each_database)
    environ = {"PATH": os.environ["PATH"], "ISPYB_CONFIG": str(file)}
    starts = [
        subprocess.Popen(
            [COMMAND, "database", "upgrade"], env=environ, stdout=subprocess.PIPE, text=True
        )
        for _ in range(3)
    ]
    said = sorted(start.communicate(timeout=60)[0] for start in starts)
    assert [start.returncode for start in starts] == [0, 0, 0]
    assert said == [
        "everything is up to date\n",
        "everything is up to date\n",
        "upgraded to 0005\n",
    ]
