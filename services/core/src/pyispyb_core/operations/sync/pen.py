"""Writes rows of nouns and of links between them, each with its line in the history."""

from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection
from sqlalchemy.exc import DataError, IntegrityError

from pyispyb_chassis.nouns.catalogue import Bound
from pyispyb_chassis.nouns.fields import Field, six_digits
from pyispyb_chassis.nouns.ledger import Ledger
from pyispyb_chassis.nouns.writing import filled, stamps_of
from pyispyb_core.operations.sync.report import Report
from pyispyb_core.operations.sync.sheet import Fault

Values = Mapping[str, Any]


class Pen:
    """One transaction's writes. Once there is a fault nothing more is written, only looked at."""

    def __init__(
        self, connection: Connection, ledger: Ledger, login: str, faults: list[Fault]
    ) -> None:
        self._connection = connection
        self._ledger = ledger
        self._login = login
        self._faults = faults
        self.report = Report()

    @property
    def is_down(self) -> bool:
        """Whether it still writes."""
        return not self._faults

    def insert(self, kind: str, noun: Bound, values: Values, path: str) -> Any:
        """A new row; gives its id, None where nothing is written any more."""
        result = self._do(noun.table.insert().values(filled(noun, values)), path)
        if result is None:
            return None
        key = result.inserted_primary_key[0]
        self._record(noun.path, key, "create", values)
        self.report.note("created", kind, key)
        return key

    def update(
        self, kind: str, noun: Bound, key: Any, stored: Values, values: Values, path: str
    ) -> set[str]:
        """Change what differs; gives the names of those columns."""
        changed = {
            name: value
            for name, value in values.items()
            if _differs(noun.fields[name], stored[name], value)
        }
        if not changed:
            self.report.note("unchanged", kind, key)
            return set()
        statement = noun.table.update().where(noun.is_row(noun.table, key))
        if self._do(statement.values({**changed, **stamps_of(noun, "write")}), path) is None:
            return set()
        self._record(noun.path, key, "patch", changed)
        self.report.note("changed", kind, key)
        return set(changed)

    def delete(self, kind: str, noun: Bound, key: Any) -> None:
        """Take out a row that nothing refers to."""
        if self._do(noun.table.delete().where(noun.is_row(noun.table, key)), "") is not None:
            self._record(noun.path, key, "delete", {})
            self.report.note("removed", kind, key)

    def link(self, statement: sa.Executable, path: str) -> bool:
        """Run a statement on a table that only links; gives whether it was run."""
        return self._do(statement, path) is not None

    def record_link(self, noun: str, key: Any, action: str, values: Values) -> None:
        """Leave a link's line in the history."""
        self._record(noun, key, action, values)

    def _do(self, statement: sa.Executable, path: str) -> Any:
        if not self.is_down:
            return None
        try:
            return self._connection.execute(statement)
        except IntegrityError:
            self._faults.append((path, "another row has one of these values already"))
        except DataError:
            self._faults.append((path, "the database does not accept one of these values"))
        return None

    def _record(self, noun: str, key: Any, action: str, values: Values) -> None:
        self._ledger.record(self._connection, noun, key, action, self._login, values)


def _differs(field: Field, stored: Any, value: Any) -> bool:
    """Whether a stored value is another than one that was sent; a FLOAT tells six digits of it."""
    if field.single:
        return six_digits(stored) != six_digits(value)
    return bool(stored != value)
