"""pyispyb-core as its users run it: schema, demo, grant, on a database of each kind."""

import os
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest
from tests.cast import OSCAR, Issuing
from tests.core.conftest import make_core, own_schema_of, write_configuration

COMMAND = Path(sys.executable).with_name("pyispyb-core")


def run(file: Path, *words: str, **variables: str) -> subprocess.CompletedProcess[str]:
    environ = {"PATH": os.environ["PATH"], "ISPYB_CONFIG": str(file), **variables}
    return subprocess.run(
        [COMMAND, *words], env=environ, capture_output=True, text=True, check=False, timeout=60
    )


@pytest.fixture
def file(each_database: str, issuing: Issuing, tmp_path: Path) -> Path:
    return write_configuration(tmp_path, each_database, issuing, own_schema_of(each_database))


@pytest.fixture(scope="module")
def with_tables(tmp_path_factory: pytest.TempPathFactory, issuing: Issuing) -> Path:
    folder = tmp_path_factory.mktemp("command-line")
    core = make_core(f"sqlite:///{folder / 'core.sqlite'}", folder, issuing)
    core.close()
    return core.file


def test_a_schema_is_made_once_and_demo_rows_once(file: Path) -> None:
    table = [
        (("schema", "create"), "made 205 tables of ISPyB\nmade core's own tables\n"),
        (("schema", "create"), "everything is there\n"),
        (("demo",), "made the demo proposals\n"),
        (("demo",), "the demo proposals are there\n"),
        (("grant", "oscar", "--staff-of", "BL1"), "oscar is now a member of BL1 staff\n"),
        (("grant", "oscar", "--staff-of", "BL1"), "oscar was already a member of BL1 staff\n"),
        (("grant", "oscar", "--admin"), "oscar is now a member of administrators\n"),
    ]
    for words, said in table:
        done = run(file, *words)
        assert (done.returncode, done.stdout) == (0, said), done.stderr


@pytest.mark.parametrize(
    ("words", "variables", "said"),
    [
        (("grant", "ghost", "--goods"), {}, "no Person has the login ghost"),
        (("grant", "oscar", "--staff-of", "BL9"), {}, "add one"),
        (("demo",), {"ISPYB_ENVIRONMENT": "production"}, "local"),
        (("schema", "create"), {"ISPYB_CORE__DATABASE_URL": "postgresql://x/y"}, "allowed"),
        (("schema", "create"), {"ISPYB_CORE__NONSENSE": "1"}, "ISPYB_CORE__NONSENSE"),
    ],
)
def test_a_fault_is_one_line(
    with_tables: Path, words: tuple[str, ...], variables: dict[str, str], said: str
) -> None:
    done = run(with_tables, *words, **variables)
    assert done.returncode != 0
    assert said in done.stderr
    assert "Traceback" not in done.stderr


def test_a_database_of_something_else_is_left_alone(tmp_path: Path, with_tables: Path) -> None:
    other = tmp_path / "other.sqlite"
    with sqlite3.connect(other) as connection:
        connection.execute("CREATE TABLE Recipe (id INTEGER)")
    connection.close()
    done = run(with_tables, "schema", "create", ISPYB_CORE__DATABASE_URL=f"sqlite:///{other}")
    assert done.returncode == 1
    assert "not empty and not ISPyB" in done.stderr


def test_a_grant_takes_effect_and_core_without_its_own_tables_only_reads(
    each_database: str, issuing: Issuing, tmp_path: Path
) -> None:
    core = make_core(each_database, tmp_path, issuing)
    try:
        assert core.get(OSCAR, "/sessions")["total"] == 0
        assert run(core.file, "grant", "oscar", "--staff-of", "BL1").returncode == 0
        assert core.get(OSCAR, "/sessions")["total"] == 2
        with core.database.writing() as connection:
            core.tables.metadata.drop_all(connection, tables=list(core.tables.own))
        proposal = core.get(OSCAR, "/proposals")["results"][0]["proposalId"]
        sent = {"proposalId": proposal, "shippingName": "x"}
        answer = core.call(OSCAR, "POST", "/shippings", sent)
        assert answer.status_code == 503
        assert "read-only" in answer.get_json()["detail"]
        assert core.get(OSCAR, "/sessions")["total"] == 2
    finally:
        core.close()
