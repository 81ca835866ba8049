"""Making ssx's tables and bringing them up to date."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy.engine import Connection, Engine

from pyispyb_chassis.database import Database

MIGRATIONS = Path(__file__).parent.parent / "migrations"
LOCK_SECONDS = 60


def upgrade(database: Database) -> str | None:
    """Do the steps that are missing; gives the form reached, or None where none was missing."""
    config = _config()
    newest = _newest(config)
    with _patient(database) as engine, engine.begin() as connection:
        if not database.is_sqlite:  # two replicas that start at once take turns
            connection.execute(sa.select(sa.func.get_lock("pyispyb_ssx", LOCK_SECONDS)))
        if _form(connection) == newest:
            return None
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
    return newest


@contextmanager
def _patient(database: Database) -> Iterator[Engine]:
    """An engine that waits: a step may take longer than any request, and so may its turn."""
    if database.is_sqlite:
        yield database.write_engine
        return
    engine = sa.create_engine(database.url, poolclass=sa.NullPool)
    try:
        yield engine
    finally:
        engine.dispose()


def is_current(database: Database) -> bool:
    """Whether no step is missing."""
    with database.reading() as connection:
        return _form(connection) == _newest(_config())


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.set_main_option("path_separator", "os")
    return config


def _newest(config: Config) -> str | None:
    return ScriptDirectory.from_config(config).get_current_head()


def _form(connection: Connection) -> str | None:
    return MigrationContext.configure(connection).get_current_revision()
