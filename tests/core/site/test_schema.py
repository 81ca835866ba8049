"""`pyispyb-core schema status` and `upgrade` on databases that lack something."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import sqlalchemy as sa
from tests.cast import ALICE, ERIN, Issuing
from tests.core.conftest import Core, write_configuration
from tests.core.site.flavours import OLDER, Flavour, make_site
from tests.peers.mariadb import MariaDb

from pyispyb_chassis.configuration import load
from pyispyb_chassis.database import Database
from pyispyb_core.app import create_app
from pyispyb_core.operations import schema

ONLY_AT_SOME_SITES = {"workflows", "workflow-steps", "workflow-meshes"}
COMMAND = Path(sys.executable).with_name("pyispyb-core")
Run = Callable[..., subprocess.CompletedProcess[str]]


def environ(file: Path, **variables: str) -> dict[str, str]:
    return {"PATH": os.environ["PATH"], "ISPYB_CONFIG": str(file), **variables}


# As a registered dewar was kept before it could have several proposals.
REGISTERED = """INSERT INTO {0}.DewarRegistry (facilityCode, proposalId)
    SELECT 'DLS-MX-0001', proposalId FROM {0}.Proposal WHERE proposalNumber = '1001'"""


def run(file: Path, *words: str, **variables: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [COMMAND, "schema", *words],
        env=environ(file, **variables),
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def rows_of(core: Core) -> dict[str, int]:
    with core.database.reading() as connection:
        return {
            name: connection.exec_driver_sql(f"SELECT COUNT(*) FROM `{name}`").scalar_one()
            for name in ("Proposal", "Container", "BLSample", "Dewar", "DataCollection")
        }


def test_a_database_of_2019_is_upgraded_though_the_first_try_is_killed(
    mariadb: MariaDb, tmp_path: Path, issuing: Issuing
) -> None:
    core = make_site(mariadb, OLDER, tmp_path, issuing)
    mariadb.execute(REGISTERED.format(core.database.url.database))
    before = rows_of(core)
    told = run(core.file, "status")
    assert told.returncode == 1, told.stderr
    for line in (
        "lacks table Atlas",
        "lacks column Container.currentDewarId",
        "lacks column DewarRegistry.dewarRegistryId",
        "lacks index Person_FKIndex_Login on Person",
        "lacks index Container_fk_currentDewarId on Container",
        "lacks proposals of registered dewars in DewarRegistry_has_Proposal",
    ):
        assert line in told.stdout.splitlines()
    assert run(core.file, "upgrade", "--sql").stdout.count(";\n") > 100
    assert run(core.file, "status").stdout == told.stdout, "--sql did something"

    with subprocess.Popen(
        [COMMAND, "schema", "upgrade"], env=environ(core.file), stdout=subprocess.PIPE, text=True
    ) as killed:
        assert killed.stdout is not None
        for _ in range(20):
            assert killed.stdout.readline().startswith("added ")
        killed.send_signal(signal.SIGKILL)
    assert killed.returncode == -signal.SIGKILL
    between = run(core.file, "status")
    assert between.returncode == 1
    assert len(between.stdout) < len(told.stdout)

    done = run(core.file, "upgrade")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.endswith("everything is there\n")
    assert run(core.file, "status").returncode == 0
    assert run(core.file, "upgrade").stdout == "everything is there\n"
    assert rows_of(core) == before

    upgraded = create_app(load(core.file, environ={}))
    served = Core(upgraded.test_client(), issuing, core.database, core.tables, core.file)
    assert set(served.get(ERIN, "/nouns")["absent"]) == ONLY_AT_SOME_SITES
    (one,) = served.get(ALICE, "/containers?code=MX1001-puck-1")["results"]
    assert (one["priorityPipelineId"], one["currentDewarId"]) == (None, None)
    assert attached(served) == ["MX1001"]
    served.close()


def attached(core: Core) -> list[str]:
    """The proposals of the registered dewar, as alice sees them."""
    path = "/dewar-registry-proposals?include=Proposal,DewarRegistry"
    found = core.get(ALICE, path)["results"]
    assert [one["DewarRegistry"]["facilityCode"] for one in found] == ["DLS-MX-0001"]
    return [one["Proposal"]["proposalCode"] + one["Proposal"]["proposalNumber"] for one in found]


def test_the_statements_that_are_printed_do_the_same(
    mariadb: MariaDb, tmp_path: Path, issuing: Issuing
) -> None:
    core = make_site(mariadb, OLDER, tmp_path, issuing)
    mariadb.execute(REGISTERED.format(core.database.url.database))
    printed = run(core.file, "upgrade", "--sql")
    assert printed.returncode == 0, printed.stderr
    with core.database.changing() as connection:
        for statement in printed.stdout.split(";\n")[:-1]:
            connection.execute(sa.text(statement.replace(":", "\\:")))
    assert run(core.file, "status").returncode == 0
    served = Core(
        create_app(load(core.file, environ={})).test_client(),
        issuing, core.database, core.tables, core.file,
    )  # fmt: skip
    assert attached(served) == ["MX1001"]
    served.close()


PROOF = """SELECT COUNT(*) FROM information_schema.columns
    WHERE table_schema = DATABASE() AND table_name = '{}' AND column_name = '{}' AND {}"""
NAME_KEPT = """is_nullable = 'NO' AND character_set_name = 'latin1' AND column_type = 'varchar(45)'
    AND column_default = '''none''' AND column_comment = 'it''s a name'"""
CHANGES = [
    ("DROP TABLE {own}.Turn", "table Turn", ""),
    (
        """ALTER TABLE Shipping MODIFY shippingName varchar(30) CHARACTER SET latin1 NOT NULL
            DEFAULT 'none' COMMENT 'it''s a name'""",
        "wider Shipping.shippingName: varchar(45)",
        PROOF.format("Shipping", "shippingName", NAME_KEPT),
    ),
    (
        "ALTER TABLE Dewar MODIFY type enum('Dewar','Site''s own') NOT NULL DEFAULT 'Dewar'",
        "wider Dewar.type: ENUM('Dewar','Site''s own','Toolbox','Parcel')",
        PROOF.format("Dewar", "type", "is_nullable = 'NO' AND column_default = '''Dewar'''"),
    ),
    (
        "ALTER TABLE Protein DROP COLUMN containmentLevel",
        "column Protein.containmentLevel",
        "SELECT MIN(containmentLevel) FROM Protein",
    ),
    ("DROP INDEX Shipping_FKIndexName ON Shipping", "index Shipping_FKIndexName on Shipping", ""),
    (
        "ALTER TABLE Shipping MODIFY comments varchar(200) NULL",
        "wider Shipping.comments: varchar(1000)",
        "",
    ),
]
LEFT = [
    ("ALTER TABLE Dewar MODIFY weight decimal(5,2) NULL", "left as it is: Dewar.weight is DECIMAL"),
    ("ALTER TABLE Shipping ADD siteRemark varchar(20) NULL", "knows: Shipping.siteRemark"),
    ("CREATE TABLE SiteParcel (parcelId int PRIMARY KEY)", "core knows: table SiteParcel"),
    ("ALTER TABLE Shipping MODIFY shippingStatus varchar(200) NULL", ""),
]


def test_each_lack_is_told_and_added_and_what_is_more_stays(
    mariadb: MariaDb, tmp_path: Path, issuing: Issuing
) -> None:
    changes = tuple(change for change, *_ in (*CHANGES[1:], *LEFT))
    core = make_site(mariadb, Flavour("changed", changes), tmp_path, issuing)
    own = f"own_{core.database.url.database}"
    mariadb.execute(CHANGES[0][0].format(own=own))
    told = run(core.file, "status")
    assert told.returncode == 1, told.stderr
    lines = told.stdout.splitlines()
    assert {line for line in lines if line.startswith("lacks")} == {
        f"lacks {said}" for _, said, _ in CHANGES
    }
    assert [said for _, said in LEFT if said not in told.stdout] == []
    done = run(core.file, "upgrade")
    assert done.returncode == 0, done.stderr
    assert set(done.stdout.splitlines()) == {
        *(f"added {said}" for _, said, _ in CHANGES),
        "everything is there",
    }
    with core.database.reading() as connection:
        for change, _, proof in CHANGES:
            if proof:
                assert connection.exec_driver_sql(proof).scalar() == 1, change
    after = run(core.file, "status")
    assert (after.returncode, after.stdout.splitlines()) == (
        0,
        [*(line for line in lines if not line.startswith("lacks")), "there is nothing to add"],
    )
    core.close()


def test_only_one_runs_and_what_cannot_be_added_is_told_at_once(
    mariadb: MariaDb, tmp_path: Path, issuing: Issuing
) -> None:
    lacking = Flavour(
        "without grants",
        (
            "ALTER TABLE Shipping DROP COLUMN extra",
            "ALTER TABLE Protein DROP COLUMN hazardGroup",
            "ALTER TABLE Dewar DROP COLUMN extra",
        ),
        granted=(("Dewar", "SELECT, INSERT, UPDATE, DELETE, ALTER"),),
    )
    core = make_site(mariadb, lacking, tmp_path, issuing)
    with core.database.reading() as connection:
        lock = "SELECT GET_LOCK(CONCAT('pyispyb schema ', MD5(DATABASE())), 0)"
        assert connection.exec_driver_sql(lock).scalar() == 1
        refused = run(core.file, "upgrade")
        assert (refused.returncode, refused.stdout) == (1, "")
        assert "another upgrade of this database is under way" in refused.stderr
        connection.exec_driver_sql("DO RELEASE_ALL_LOCKS()")
    done = run(core.file, "upgrade")
    assert done.returncode == 1
    assert done.stdout == "added column Dewar.extra\n"
    first, second = sorted(done.stderr.splitlines())
    assert first.startswith("could not add column Protein.hazardGroup: ALTER command denied")
    assert second.startswith("could not add column Shipping.extra: ALTER command denied")
    core.close()


def test_two_at_once_make_one_whole_schema(
    mariadb: MariaDb, tmp_path: Path, issuing: Issuing
) -> None:
    """Two administrators, or two hosts: one does it, the other is told so or finds it done."""
    core = make_site(mariadb, OLDER, tmp_path, issuing)
    before = rows_of(core)
    with ThreadPoolExecutor(2) as pool:
        both = [done.result() for done in [pool.submit(run, core.file, "upgrade") for _ in "ab"]]
    refused = [one for one in both if one.returncode]
    assert len(refused) < 2
    for one in refused:
        assert "another upgrade of this database is under way" in one.stderr
    assert run(core.file, "status").returncode == 0
    assert rows_of(core) == before
    core.close()


def test_a_file_is_upgraded_too_and_an_empty_one_is_not(tmp_path: Path, issuing: Issuing) -> None:
    url = f"sqlite:///{tmp_path / 'core.sqlite'}"
    file = write_configuration(tmp_path, url, issuing, "own")
    empty = run(file, "upgrade")
    assert (empty.returncode, empty.stdout) == (1, "")
    assert "there is no table Proposal" in empty.stderr
    database = Database(url)
    schema.create(database, "own")
    with database.writing() as connection:
        connection.execute(sa.text("DROP TABLE own_Turn"))
        connection.execute(sa.text("DROP TABLE Atlas"))
        connection.execute(sa.text("ALTER TABLE Shipping DROP COLUMN extra"))
    database.dispose()
    assert run(file, "status").returncode == 1
    assert 'ALTER TABLE "Shipping" ADD COLUMN extra' in run(file, "upgrade", "--sql").stdout
    done = run(file, "upgrade")
    assert done.returncode == 0, done.stderr
    assert "added table own_Turn\n" in done.stdout
    assert run(file, "status").returncode == 0
