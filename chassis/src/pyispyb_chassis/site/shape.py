"""What a site's database is made of, and what its user may do there: plain facts, no queries."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import sqlalchemy as sa

Right = Literal["select", "insert", "update", "delete"]
EVERY_RIGHT: frozenset[Right] = frozenset({"select", "insert", "update", "delete"})


def no_table(name: str) -> str:
    """Why a table cannot be served that is not there."""
    return f"this site's database has no table {name}"


@dataclass(frozen=True, slots=True)
class SiteColumn:
    """One column as the database has it; `kind` is None where its type is none that we read.

    `default` is the database's own text, None where a row without this column gets null.
    """

    name: str
    declared: str
    kind: sa.types.TypeEngine[Any] | None
    nullable: bool
    default: str | None = None
    generated: bool = False
    rights: frozenset[Right] = EVERY_RIGHT

    @property
    def is_needed(self) -> bool:
        """Whether no row can be made without a value for it."""
        return not self.nullable and self.default is None and not self.generated


@dataclass(frozen=True, slots=True)
class SiteTable:
    """One table or view; `key` is empty for a view."""

    name: str
    columns: Mapping[str, SiteColumn]
    key: tuple[str, ...] = ()
    rights: frozenset[Right] = EVERY_RIGHT

    def column(self, name: str) -> SiteColumn | None:
        """A column by its name, in whatever case it is written: as the database takes it."""
        found = self.columns.get(name)
        if found is None:
            same = (one for key, one in self.columns.items() if key.lower() == name.lower())
            found = next(same, None)
        return found


@dataclass(frozen=True, slots=True)
class SiteKey:
    """A foreign key: rows of `table` name by `column` a row of `target`."""

    table: str
    column: str
    target: str


@dataclass(frozen=True, slots=True)
class Shape:
    """Every table that the database shows its user, by name, and the keys between them.

    `unseen` tells of a table that is not shown whether it is missing or only not granted.
    """

    tables: Mapping[str, SiteTable]
    keys: tuple[SiteKey, ...] = ()
    unseen: Mapping[str, str] = field(default_factory=dict)


def column_of(
    there: SiteColumn, kind: sa.types.TypeEngine[Any], *, key: bool, to: Iterable[str]
) -> sa.Column[Any]:
    """A column of SQLAlchemy with the null, the default and the rights that the database has."""
    return sa.Column(
        there.name,
        kind,
        *[sa.ForeignKey(target) for target in to],
        primary_key=key,
        nullable=there.nullable,
        server_default=_default_of(there, key=key),
    )


def _default_of(there: SiteColumn, *, key: bool) -> Any:
    if there.generated:
        return None if key else sa.FetchedValue()
    return None if there.default is None else sa.text(there.default)
