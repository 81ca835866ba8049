"""Making tables: ISPyB's on an empty database only, core's own wherever they are missing."""

import sqlalchemy as sa

from pyispyb_chassis.database import Database
from pyispyb_core.tables import Tables, tables_to_make

OWN = "core's own tables"


class NotEmpty(Exception):
    """The database holds something else than the whole of ISPyB; it is left as it is."""


def tables_of(database: Database, own_schema: str) -> Tables:
    """The tables to make, fitted to the kind of this database."""
    return tables_to_make(sqlite=database.is_sqlite, own_schema=own_schema)


def create(database: Database, own_schema: str) -> list[str]:
    """Make what is missing; gives what was made, one line each. May be run again and again.

    Raises NotEmpty where some tables are there and Proposal is not.
    """
    tables = tables_of(database, own_schema)
    made: list[str] = []
    own = {table.key for table in tables.own}
    with database.write_engine.begin() as connection:
        there = set(sa.inspect(connection).get_table_names()) - {t.name for t in tables.own}
        if not there:
            ispyb = [table for table in tables.metadata.sorted_tables if table.key not in own]
            tables.metadata.create_all(connection, tables=ispyb)
            made.append(f"{len(ispyb)} tables of ISPyB")
        elif "Proposal" not in there:
            raise NotEmpty(f"not empty and not ISPyB: it has {', '.join(sorted(there)[:5])}")
        if not database.is_sqlite:
            connection.execute(sa.schema.CreateSchema(own_schema, if_not_exists=True))
        missing = [
            table
            for table in tables.own
            if not sa.inspect(connection).has_table(table.name, schema=table.schema)
        ]
        tables.metadata.create_all(connection, tables=missing)
        if missing:
            made.append(OWN)
    return made


def has_own_tables(database: Database, tables: Tables) -> bool:
    """Whether core's own tables are there; without them core is read-only."""
    with database.reading() as connection:
        look = sa.inspect(connection)
        return all(look.has_table(table.name, schema=table.schema) for table in tables.own)
