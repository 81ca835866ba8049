"""ISPyB's tables, from the package `ispyb`, and core's own, fitted to the database."""

from dataclasses import dataclass
from functools import cache

import sqlalchemy as sa
from ispyb.sqlalchemy import Base

from pyispyb_chassis.links.table import link_table
from pyispyb_chassis.nouns.catalogue import light
from pyispyb_chassis.nouns.ledger import Ledger
from pyispyb_chassis.nouns.turns import Turns
from pyispyb_chassis.portable import fitted


@dataclass(frozen=True, slots=True)
class Tables:
    """All that core reads and writes: ISPyB's tables by name, and its own."""

    metadata: sa.MetaData
    ledger: Ledger
    link: sa.Table
    turns: Turns
    sqlite: bool

    @property
    def own(self) -> tuple[sa.Table, ...]:
        """Core's own tables, to be made where they are missing."""
        return (*self.ledger.tables, self.link, self.turns.table)

    def __getitem__(self, name: str) -> sa.Table:
        return self.metadata.tables[name]

    def alias(self, name: str) -> sa.FromClause:
        """A table under a name of its own in a statement."""
        return light(self[name]).alias()


@cache
def tables_for(*, sqlite: bool, own_schema: str) -> Tables:
    """The tables for SQLite (core's own with a prefix) or MariaDB (in a schema of their own)."""
    metadata = fitted(Base.metadata, sqlite=sqlite)
    if sqlite:
        prefix = f"{own_schema}_"
        link = link_table(metadata, prefix=prefix)
        ledger, turns = Ledger(metadata, prefix=prefix), Turns(metadata, prefix=prefix)
        return Tables(metadata, ledger, link, turns, sqlite=True)
    link = link_table(metadata, schema=own_schema)
    ledger, turns = Ledger(metadata, schema=own_schema), Turns(metadata, schema=own_schema)
    return Tables(metadata, ledger, link, turns, sqlite=False)
