"""What only some sites have, put into a database of the tests."""

import sqlalchemy as sa

from pyispyb_chassis.database import Database
from pyispyb_core.beyond import COLUMNS, TABLES
from pyispyb_core.operations.schema_steps import compared
from pyispyb_core.tables import Tables, tables_for


def add_beyond(database: Database, own_schema: str) -> Tables:
    """Make these tables and columns beside ISPyB's; gives all tables that core knows."""
    tables = tables_for(sqlite=database.is_sqlite, own_schema=own_schema)
    with database.write_engine.begin() as connection:
        for name in (*TABLES, *COLUMNS):
            look = sa.inspect(connection)
            names = {each.lower() for each in look.get_table_names()}
            for step in compared(connection, tables[name], look, names).steps:
                connection.exec_driver_sql(step.statement)
    return tables
