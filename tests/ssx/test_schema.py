"""ssx's tables: the steps lead to what the code maps, on both databases."""

import os
import subprocess
import sys
from pathlib import Path

from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from pyispyb_chassis.database import Database
from pyispyb_ssx.migrations import MIGRATIONS
from pyispyb_ssx.tables import TABLES


def test_the_steps_make_the_tables_that_the_code_maps(each_database: str) -> None:
    database = Database(each_database)
    assert MIGRATIONS.fault(database) is not None
    assert MIGRATIONS.upgrade(database) == "0002"
    assert MIGRATIONS.upgrade(database) is None
    assert MIGRATIONS.fault(database) is None
    with database.reading() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, TABLES.metadata) == []
    database.dispose()


def test_two_upgrades_at_once_take_turns(each_database: str) -> None:
    environ = {**os.environ, "ISPYB_SSX__DATABASE_URL": each_database, "ISPYB_CONFIG": os.devnull}
    command = [Path(sys.executable).with_name("pyispyb-ssx"), "database", "upgrade"]
    running = [
        subprocess.Popen(command, env=environ, stdout=subprocess.PIPE, text=True) for _ in range(3)
    ]
    said = sorted(process.communicate(timeout=60)[0] for process in running)
    assert said == ["everything is there\n", "everything is there\n", "upgraded to 0002\n"]
