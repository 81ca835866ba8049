"""All tables: ISPyB's, of the package `ispyb` and beyond it, and core's own."""

from dataclasses import dataclass
from functools import cache

import sqlalchemy as sa
from ispyb.sqlalchemy import Base

from pyispyb_chassis.links.table import link_table
from pyispyb_chassis.nouns.ledger import Ledger
from pyispyb_chassis.nouns.turns import Turns
from pyispyb_chassis.portable import fitted
from pyispyb_chassis.site.fitting import Difference, difference, fitted_to, standing_for
from pyispyb_chassis.site.shape import Shape
from pyispyb_core.beyond import NAMES, with_beyond


@dataclass(frozen=True, slots=True)
class Tables:
    """All that core reads and writes: ISPyB's tables by name, and its own.

    `known` are all of ISPyB's that core knows, `metadata` what of them the site's database has.
    """

    metadata: sa.MetaData
    known: sa.MetaData
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
        return self.narrow(name, frozenset(self.known.tables[name].columns.keys())).alias()

    def narrow(self, name: str, wanted: frozenset[str]) -> sa.FromClause:
        """The columns of a table that are `wanted`, its keys besides; what is missing is null."""
        columns = [
            column
            for column in self.known.tables[name].columns
            if column.primary_key or column.foreign_keys or column.name in wanted
        ]
        return standing_for(self.metadata.tables.get(name), name, columns)


@cache
def tables_for(*, sqlite: bool, own_schema: str) -> Tables:
    """The tables for SQLite (core's own with a prefix) or MariaDB (in a schema of their own)."""
    known = _known(sqlite=sqlite)
    return _with_own(fitted(known, sqlite=sqlite), known, sqlite=sqlite, own_schema=own_schema)


@cache
def tables_to_make(*, sqlite: bool, own_schema: str) -> Tables:
    """The same without those that only some sites have: what core makes in a database."""
    made = fitted(Base.metadata, sqlite=sqlite)
    return _with_own(made, _known(sqlite=sqlite), sqlite=sqlite, own_schema=own_schema)


def tables_at(
    shape: Shape,
    *,
    sqlite: bool,
    own_schema: str,
    asked: frozenset[str],
) -> tuple[Tables, Difference]:
    """The tables as this site's database has them, and in what it differs from the package.

    `asked` are the columns that rules need, null where they are missing.
    """
    as_known = tables_for(sqlite=sqlite, own_schema=own_schema)
    own = frozenset(table.name for table in as_known.own)
    found = difference(as_known.known, shape, sqlite=sqlite, own=own, some=NAMES)
    if not found.narrows and not found.more_tables and not found.more_columns:
        return as_known, found
    metadata = fitted_to(as_known.known, shape, sqlite=sqlite, asked=asked)
    return _with_own(metadata, as_known.known, sqlite=sqlite, own_schema=own_schema), found


@cache
def _known(*, sqlite: bool) -> sa.MetaData:
    return fitted(with_beyond(Base.metadata), sqlite=sqlite)


def _with_own(
    metadata: sa.MetaData, known: sa.MetaData, *, sqlite: bool, own_schema: str
) -> Tables:
    if sqlite:
        prefix = f"{own_schema}_"
        link = link_table(metadata, prefix=prefix)
        ledger, turns = Ledger(metadata, prefix=prefix), Turns(metadata, prefix=prefix)
        return Tables(metadata, known, ledger, link, turns, sqlite=True)
    link = link_table(metadata, schema=own_schema)
    ledger, turns = Ledger(metadata, schema=own_schema), Turns(metadata, schema=own_schema)
    return Tables(metadata, known, ledger, link, turns, sqlite=False)
