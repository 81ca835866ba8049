"""Who looks after a session: told by name to whoever sees the session."""

from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from pyispyb_chassis.nouns.catalogue import Catalogue
from pyispyb_chassis.nouns.reading import Reader
from pyispyb_core.rules import Rules, Viewer
from pyispyb_core.tables import Tables

TOLD = ("personId", "givenName", "familyName", "title")


class LocalContacts:
    """Reads the local contacts of sessions, as the rules know them."""

    def __init__(
        self, catalogue: Catalogue, tables: Tables, rules: Rules, reader: Reader[Viewer]
    ) -> None:
        self._sessions = catalogue["sessions"]
        self._tables = tables
        self._rules = rules
        self._reader = reader

    def of(self, connection: Connection, session: str, viewer: Viewer) -> list[dict[str, Any]]:
        """Of each id, names, title, role, beamLineOperator where the site counts that.

        Raises NotFound for a session that is not seen.
        """
        session_id = self._reader.row_id(connection, self._sessions, session, viewer)
        person = self._tables["Person"]
        names = [person.c[name] for name in TOLD]
        found: dict[int, dict[str, Any]] = {}
        for role, condition in self._rules.looking_after(person, session_id):
            rows = connection.execute(sa.select(*names, role).where(condition).order_by(names[0]))
            for row in rows:
                told = dict(zip((*TOLD, "role"), row, strict=True))
                found.setdefault(told["personId"], told)
        return list(found.values())
