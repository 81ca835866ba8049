"""Bringing a service's own tables up to date: its Alembic steps, one replica at a time."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy.engine import Connection, Engine

from pyispyb_chassis.database import Database
from pyispyb_chassis.errors import ServiceError

LOCK_SECONDS = 60
# Readiness looks at the form every few seconds: not two lines of the log each time.
logging.getLogger("alembic.runtime.migration").setLevel(logging.WARNING)


@dataclass(frozen=True, slots=True)
class Migrations:
    """The steps in `folder` (an Alembic script location) of the service `name`."""

    name: str
    folder: Path

    def upgrade(self, database: Database) -> str | None:
        """Do the steps that are missing; gives the form reached, None where none was missing.

        Replicas that start at once take turns: on SQLite by its write lock.
        """
        config = self._config()
        newest = ScriptDirectory.from_config(config).get_current_head()
        lock = f"pyispyb_{self.name}"
        with _patient(database) as engine, engine.begin() as connection:
            if not database.is_sqlite:
                connection.execute(sa.select(sa.func.get_lock(lock, LOCK_SECONDS)))
            if _form(connection) == newest:
                return None
            config.attributes["connection"] = connection
            command.upgrade(config, "head")
        return newest

    def fault(self, database: Database) -> str | None:
        """One line where a step is missing or the database does not answer, else None."""
        newest = ScriptDirectory.from_config(self._config()).get_current_head()
        try:
            with database.reading() as connection:
                form = _form(connection)
        except ServiceError as error:
            return error.detail
        missing = f"not up to date; run pyispyb-{self.name} database upgrade"
        return None if form == newest else missing

    def _config(self) -> Config:
        config = Config()
        config.set_main_option("script_location", str(self.folder))
        config.set_main_option("path_separator", "os")
        return config


@contextmanager
def _patient(database: Database) -> Iterator[Engine]:
    """An engine that waits: a step may take longer than any request, and so may its turn.

    On MariaDB the connection is closed at the end, and its lock with it.
    """
    if database.is_sqlite:
        yield database.write_engine
        return
    engine = sa.create_engine(database.url, poolclass=sa.NullPool)
    try:
        yield engine
    finally:
        engine.dispose()


def _form(connection: Connection) -> str | None:
    return MigrationContext.configure(connection).get_current_revision()
