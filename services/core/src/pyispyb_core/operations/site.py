"""The site's own database, as it was found at the start of this process."""

import logging
from dataclasses import dataclass

from pyispyb_chassis.database import Database
from pyispyb_chassis.errors import Unavailable
from pyispyb_chassis.site.reading import read_shape
from pyispyb_core.operations.activity import ASKED_FOR as BY_ACTIVITY
from pyispyb_core.rules.chains import ASKED_FOR as BY_RULES
from pyispyb_core.settings import CoreSettings
from pyispyb_core.tables import Tables, tables_at, tables_for

log = logging.getLogger(__name__)

# Without these there is no ISPyB to serve, and no rule to serve it by.
NEEDED = ("Proposal", "Person", "BLSession", "ProposalHasPerson")


@dataclass(frozen=True, slots=True)
class Site:
    """The tables that are there; `told` is how they differ from the package's, in one line."""

    tables: Tables
    told: str | None


def site_of(database: Database, settings: CoreSettings) -> Site:
    """Read what the database is made of. Raises Unavailable where it is down or has no ISPyB."""
    as_known = tables_for(sqlite=database.is_sqlite, own_schema=settings.own_schema)
    with database.looking() as connection:
        shape = read_shape(connection, as_known.known.tables)
    lacking = [name for name in NEEDED if name not in shape.tables]
    if lacking:
        why = "; ".join(shape.unseen[name] for name in lacking)
        raise Unavailable(f"{why}; grant it, or run pyispyb-core schema create")
    tables, found = tables_at(
        shape,
        sqlite=database.is_sqlite,
        own_schema=settings.own_schema,
        asked=BY_RULES | BY_ACTIVITY,
    )
    told = found.told()
    if told is not None:
        log.warning("this site's database differs from ISPyB's own", extra={"difference": told})
    return Site(tables, told)


def unread(database: Database, settings: CoreSettings, why: str) -> Site:
    """Stands for a database that was not read yet."""
    tables = tables_for(sqlite=database.is_sqlite, own_schema=settings.own_schema)
    return Site(tables, f"not read yet: {why}")
