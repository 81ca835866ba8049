"""Who a caller is to core: their Person, groups and permissions, looked up and kept for seconds."""

import threading
import time
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import sqlalchemy as sa

from pyispyb_chassis.administrators import is_administrator
from pyispyb_chassis.configuration import Administrators
from pyispyb_chassis.database import Database
from pyispyb_chassis.permissions import Permission
from pyispyb_chassis.principal import Principal
from pyispyb_core.operations.schema import has_own_tables
from pyispyb_core.rules import SCOPE_NARROWS, Rules, Viewer
from pyispyb_core.settings import CoreSettings, PermissionSettings
from pyispyb_core.tables import Tables

MOST_KEPT = 10_000
ADMINISTRATOR = frozenset({Permission.EVERYTHING_READ_ALL, Permission.EVERYTHING_WRITE_ALL})


class Viewers:
    """Gives the Viewer of a Principal; kept for seconds: a change of rights is soon seen."""

    def __init__(
        self,
        database: Database,
        tables: Tables,
        rules: Rules,
        settings: CoreSettings,
        permissions: PermissionSettings,
        administrators: Administrators,
    ) -> None:
        self._database = database
        self._tables = tables
        self._rules = rules
        self._seconds = settings.rights_cache_seconds
        self._permissions = permissions
        self._administrators = administrators
        self._kept: dict[Principal, tuple[float, Viewer]] = {}
        self._lock = threading.Lock()
        self._has_own_tables = False
        self._statements: dict[tuple[bool, bool], tuple[sa.Select[Any], sa.Select[Any]]] = {}

    def __call__(self, caller: Principal) -> Viewer:
        """The caller as the rules know them."""
        kept = self._kept.get(caller)
        if kept is not None and kept[0] > time.monotonic():
            return kept[1]
        viewer = self._placed(self._service(caller) if caller.service else self._person(caller))
        with self._lock:
            if len(self._kept) >= MOST_KEPT:
                self._kept.clear()
            self._kept[caller] = (time.monotonic() + self._seconds, viewer)
        return viewer

    def _placed(self, viewer: Viewer) -> Viewer:
        """The viewer with their proposals and sessions, which most rules ask about."""
        if viewer.person_id is None and not viewer.staff_of:
            return viewer
        # Built once: to put them together takes longer than to run them.
        form = (viewer.person_id is not None, bool(viewer.staff_of))
        if form not in self._statements:
            self._statements[form] = (self._rules.inside(viewer), self._rules.visited(viewer))
        values = self._rules.parameters(viewer)
        with self._database.reading() as connection:
            proposals, sessions = (
                connection.execute(one, values).all() for one in self._statements[form]
            )
        return replace(
            viewer,
            inside=tuple(key for key, _ in proposals),
            member_of=tuple(key for key, member in proposals if member),
            visited=tuple(key for (key,) in sessions),
        )

    def _service(self, caller: Principal) -> Viewer:
        """A service account's scope and beamlines are its whole right; no Person is needed."""
        scope = caller.scope or frozenset()
        granted = frozenset(one for one in Permission if one in scope)
        return Viewer(
            caller.name,
            None,
            granted,
            caller.beamlines,
            service=True,
            has_made=self._tells_makers(),
        )

    def _tells_makers(self) -> bool:
        """Whether core's own tables are there, which tell who made a row."""
        if not self._has_own_tables:
            self._has_own_tables = has_own_tables(self._database, self._tables)
        return self._has_own_tables

    def _person(self, caller: Principal) -> Viewer:
        nobody: tuple[int | None, frozenset[str]] = (None, frozenset())
        person_id, names = self._look_up(caller.login) if caller.person else nobody
        groups = [
            self._permissions.groups[name] for name in names if name in self._permissions.groups
        ]
        granted = set(self._permissions.everyone).union(*[group.permissions for group in groups])
        if is_administrator(caller, self._administrators) or any(
            group.administrator for group in groups
        ):
            granted |= ADMINISTRATOR
        staff_of = frozenset(caller.beamlines).union(*[group.staff_of for group in groups])
        return Viewer(
            caller.name,
            person_id,
            self._narrowed(frozenset(granted), caller.scope),
            self._limited(staff_of, caller.only_beamlines),
            goods=any(group.goods for group in groups),
            has_made=self._tells_makers(),
        )

    def _narrowed(
        self, granted: frozenset[Permission], scope: frozenset[str] | None
    ) -> frozenset[Permission]:
        """What is left of the rights under a token's scope."""
        if scope is None or not self._rules.guards(SCOPE_NARROWS):
            return granted
        left = {one for one in Permission if one in scope and one in granted}
        if granted >= ADMINISTRATOR:
            left |= {one for one in Permission if one in scope}
        return frozenset(left)

    def _limited(self, staff_of: frozenset[str], only: frozenset[str] | None) -> frozenset[str]:
        """What is left of the beamlines under those that a token says it is for."""
        if only is None or not self._rules.guards(SCOPE_NARROWS):
            return staff_of
        return staff_of & only

    def _look_up(self, login: str) -> tuple[int | None, frozenset[str]]:
        """The Person with this login, and the names of the groups it is in, in one statement."""
        person, member, group = (
            self._tables.alias(name) for name in ("Person", "UserGroup_has_Person", "UserGroup")
        )
        joined = person.outerjoin(member, member.c.personId == person.c.personId).outerjoin(
            group, group.c.userGroupId == member.c.userGroupId
        )
        statement = (
            sa.select(person.c.personId, person.c.login, group.c.name)
            .select_from(joined)
            .where(person.c.login == login)
        )
        with self._database.reading() as connection:
            rows = connection.execute(statement).all()
        # The database compares without case; a login is its letters.
        rows = [row for row in rows if row.login == login]
        if not rows:
            return None, frozenset()
        return rows[0].personId, frozenset(row.name for row in rows if row.name is not None)


def shown(viewer: Viewer) -> Mapping[str, object]:
    """A viewer as `GET /user/current` shows it."""
    return {
        "login": viewer.login,
        "personId": viewer.person_id,
        "permissions": sorted(viewer.permissions),
        "staffOf": sorted(viewer.staff_of),
        "goods": viewer.goods,
        "service": viewer.service,
    }
