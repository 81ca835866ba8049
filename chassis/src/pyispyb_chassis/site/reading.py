"""One read of what a database is made of: `information_schema` on MariaDB, pragmas on SQLite."""

import fnmatch
import re
from collections.abc import Iterable, Mapping

import sqlalchemy as sa
from sqlalchemy.engine import Connection
from sqlalchemy.exc import DBAPIError

from pyispyb_chassis.site.kinds import kind_of
from pyispyb_chassis.site.shape import (
    EVERY_RIGHT,
    Right,
    Shape,
    SiteColumn,
    SiteKey,
    SiteTable,
    no_table,
)

_COLUMNS = """
SELECT table_name, column_name, column_type, character_set_name, is_nullable, column_default,
       extra, `privileges`, column_key
FROM information_schema.columns WHERE table_schema = DATABASE()
ORDER BY table_name, ordinal_position"""
_CHECKS = """
SELECT table_name, check_clause FROM information_schema.check_constraints
WHERE constraint_schema = DATABASE() AND check_clause LIKE 'json_valid(%%'"""
_KEYS = """
SELECT table_name, column_name, referenced_table_name FROM information_schema.key_column_usage
WHERE table_schema = DATABASE() AND referenced_table_schema = DATABASE()"""
_JSON_VALID = re.compile(r"json_valid\(`(.+)`\)", re.IGNORECASE)
_GRANT = re.compile(r"GRANT (.+?) ON (?:TABLE )?(.+?) TO ", re.IGNORECASE)
# MariaDB: there is no such table; the user may not read it, or may not be told whether it exists.
_NO_TABLE, _DENIED = 1146, 1142


def read_shape(connection: Connection, names: Iterable[str]) -> Shape:
    """What the database shows its user; `names` are the tables that are looked for."""
    if connection.dialect.name == "sqlite":
        return _of_sqlite(connection, names)
    return _of_mariadb(connection, names)


def _of_mariadb(connection: Connection, names: Iterable[str]) -> Shape:
    run = connection.exec_driver_sql
    json = {(row[0], found[1]) for row in run(_CHECKS) if (found := _JSON_VALID.fullmatch(row[1]))}
    # A server that keeps names in small letters takes them in any case.
    folds = bool(run("SELECT @@lower_case_table_names").scalar())
    known = {name.lower(): name for name in names} if folds else {}

    def named(table: str) -> str:
        return known.get(table.lower(), table)

    columns: dict[str, dict[str, SiteColumn]] = {}
    keys: dict[str, list[str]] = {}
    for table, name, declared, charset, nullable, default, extra, rights, key in run(_COLUMNS):
        columns.setdefault(named(table), {})[name] = SiteColumn(
            name,
            declared,
            kind_of(declared, charset, json=(table, name) in json),
            nullable == "YES",
            _default(default),
            generated="GENERATED" in extra or "auto_increment" in extra,
            rights=_rights(rights),
        )
        if key == "PRI":
            keys.setdefault(named(table), []).append(name)
    deletes = _Deletes(
        [row[0] for row in run("SHOW GRANTS")], run("SELECT DATABASE()").scalar_one()
    )
    tables = {
        table: SiteTable(
            table, found, tuple(keys.get(table, ())), _of_table(found, deletes=deletes(table))
        )
        for table, found in columns.items()
    }
    leads = tuple(SiteKey(named(one), column, named(other)) for one, column, other in run(_KEYS))
    unseen = {name: _why_unseen(connection, name) for name in names if name not in tables}
    return Shape(tables, leads, unseen)


def _default(text: str | None) -> str | None:
    return None if text is None or text.upper() == "NULL" else text


def _rights(told: str) -> frozenset[Right]:
    words = told.split(",")
    return frozenset(one for one in EVERY_RIGHT if one in words)


def _of_table(columns: Mapping[str, SiteColumn], *, deletes: bool) -> frozenset[Right]:
    """What may be done with some column of a table, and whether its rows may be deleted."""
    every = frozenset(right for column in columns.values() for right in column.rights)
    return every | {"delete"} if deletes else every - {"delete"}


class _Deletes:
    """Whether rows of a table may be deleted, as the user's grants say, roles' among them."""

    def __init__(self, grants: Iterable[str], schema: str) -> None:
        self._tables: set[str] = set()
        self._all = False
        for grant in grants:
            found = _GRANT.match(grant)
            if found is None or not re.search(r"\b(DELETE|ALL PRIVILEGES)\b", found[1]):
                continue
            where, _, table = found[2].replace("`", "").rpartition(".")
            if where != "*" and not _is_like(schema, where):
                continue
            if table == "*":
                self._all = True
            self._tables.add(table)

    def __call__(self, table: str) -> bool:
        return self._all or table in self._tables


def _is_like(schema: str, pattern: str) -> bool:
    r"""Whether a grant's schema, in which `_` and `%` stand for others unless escaped, is ours."""
    bare = re.sub(r"\\([_%])|([_%])", lambda m: m[1] or {"_": "?", "%": "*"}[m[2]], pattern)
    return fnmatch.fnmatchcase(schema, bare)


def _why_unseen(connection: Connection, name: str) -> str:
    quoted = connection.dialect.identifier_preparer.quote_identifier(name)
    try:
        connection.exec_driver_sql(f"SELECT 1 FROM {quoted} LIMIT 0")  # noqa: S608
    except DBAPIError as error:
        if error.orig is not None and error.orig.args[0] == _NO_TABLE:
            return no_table(name)
        if error.orig is not None and error.orig.args[0] == _DENIED:
            return f"SELECT on {name} is not granted to the user that core reads this database by"
        raise
    return f"nothing of {name} can be read"


def _of_sqlite(connection: Connection, names: Iterable[str]) -> Shape:
    """SQLite keeps neither MariaDB's types nor rights: only which columns there are, and null."""
    found = connection.exec_driver_sql(
        'SELECT m.name, c.name, c.type, c."notnull", c.dflt_value, c.pk, c.hidden'
        " FROM sqlite_master AS m JOIN pragma_table_xinfo(m.name) AS c"
        " WHERE m.type IN ('table', 'view') ORDER BY m.name, c.cid"
    ).all()
    columns: dict[str, dict[str, SiteColumn]] = {}
    keys: dict[str, list[str]] = {}
    for table, name, declared, not_null, default, key, hidden in found:
        columns.setdefault(table, {})[name] = SiteColumn(
            name,
            declared,
            kind_of(declared.lower(), None) or sa.String(),
            not (not_null or key),
            _default(default),
            generated=bool(hidden or key),
        )
        if key:
            keys.setdefault(table, []).append(name)
    tables = {
        name: SiteTable(name, one, tuple(keys.get(name, ()))) for name, one in columns.items()
    }
    leads = tuple(
        SiteKey(str(row[0]), str(row[1]), str(row[2]))
        for row in connection.exec_driver_sql(
            'SELECT m.name, k."from", k."table" FROM sqlite_master AS m'
            " JOIN pragma_foreign_key_list(m.name) AS k WHERE m.type = 'table'"
        )
    )
    absent = {name: no_table(name) for name in names if name not in tables}
    return Shape(tables, leads, absent)
