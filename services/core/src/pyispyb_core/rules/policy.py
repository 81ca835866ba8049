"""The policy of core: answers the engine's questions from the named rules."""

from collections.abc import Hashable, Mapping
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any

import sqlalchemy as sa

from pyispyb_chassis.nouns.catalogue import Bound
from pyispyb_chassis.nouns.policy import (
    BOTH_ENDS,
    SAME_OWNER,
    SEEN_KEYS,
    STILL_NEEDED,
    UNSEEN_INCLUDES,
    Condition,
)
from pyispyb_chassis.permissions import Permission
from pyispyb_core.rules.chains import SOUND
from pyispyb_core.rules.distinct import DistinctRules
from pyispyb_core.rules.naming import NAMED, Rule, limits
from pyispyb_core.rules.people import CONTACT_COLUMNS, NAME_COLUMNS, PeopleRules
from pyispyb_core.rules.plans import PLANNED, PLANNED_WITH, PlanRules
from pyispyb_core.rules.viewer import Level, Viewer
from pyispyb_core.settings import CoreSettings
from pyispyb_core.tables import Tables

GOODS_COLUMNS = frozenset(
    {
        "dewarStatus",
        "storageLocation",
        "trackingNumberToSynchrotron",
        "trackingNumberFromSynchrotron",
    }
)
# Participants see used samples with crystal, protein and proposal; goods handling no proposal.
_IMPLIED: Mapping[str, tuple[Level, ...]] = {
    Level.SAMPLE: (Level.SAMPLE, Level.ROOT),
    Level.PROPOSAL: (Level.PROPOSAL, Level.SAMPLE),
}
READ_ALL = "read-all sees every row"
WRITE_ALL = "administrators write every row"
SCOPE_NARROWS = "a token's scope narrows its bearer"


class Rules(PlanRules, PeopleRules, DistinctRules):
    """Who may see and do what: every rule once, in SQL, under one English sentence."""

    def __init__(
        self, tables: Tables, settings: CoreSettings, *, without: frozenset[str] = frozenset()
    ) -> None:
        unknown = without - {rule.name for rule in RULES}
        if unknown:
            raise KeyError(f"no such rule: {', '.join(sorted(unknown))}")
        super().__init__(tables, settings, without=without)

    def owner(self, noun: Bound, row: sa.FromClause) -> sa.ColumnElement[Any] | None:
        """The proposalId that a row belongs to; null for a row whose chain ends nowhere."""
        if noun.noun.level == Level.PLAN:
            return self._owner_of_plan(row)
        if noun.noun.level == Level.ADMINISTRATION:
            return None
        return super().owner(noun, row)

    @limits("rights-bearing columns are not for members")
    def _rights_bearing(self, noun: Bound, viewer: Viewer, row: sa.FromClause) -> Condition:
        """Columns that carry rights are written by staff of the beamline or administrators."""
        return self._staff_writes(viewer, row) if noun.noun.level == Level.SESSION else sa.false()

    @limits("a session stays in its proposal")
    def _stays(self, _noun: Bound, _viewer: Viewer) -> Condition:
        """A column that is fixed at creation is changed by administrators only."""
        return sa.false()

    def shape(self, viewer: Viewer) -> Hashable:
        """Statements differ by what the viewer may, not by who the viewer is."""
        return (
            viewer.person_id is not None,
            bool(viewer.staff_of),
            viewer.goods,
            viewer.service,
            viewer.has_made,
            bool(viewer.member_of),
            bool(viewer.visited),
            viewer.permissions,
        )

    def parameters(self, viewer: Viewer) -> Mapping[str, Any]:
        """Everything that conditions are told of the viewer, the site and the moment."""
        now = datetime.now(UTC).astimezone(self._zone).replace(tzinfo=None, microsecond=0)
        window = timedelta(days=self._settings.staff_window_days)
        return {
            "viewer_person": viewer.person_id,
            "viewer_login": viewer.login,
            "inside": viewer.inside,
            "member_of": viewer.member_of,
            "visited": viewer.visited,
            "beamlines": sorted(viewer.staff_of),
            "closed_codes": sorted(self._settings.closed_proposal_codes),
            "closed_statuses": sorted(self._settings.closed_shipping_statuses),
            "window_start": now - window,
            "window_end": now + window,
        }

    def may(self, viewer: Viewer, permission: Permission) -> bool:
        """Whether the viewer holds a permission, itself or through one for everything."""
        return permission in self.rights(viewer)

    def rights(self, viewer: Viewer) -> frozenset[Permission]:
        """All permissions that the viewer holds."""
        return _held(viewer.permissions)

    def names(self, noun: Bound, viewer: Viewer, column: str, row: sa.FromClause) -> Condition:
        """The rows that a foreign key of a body may name; `row` is the one it leads to."""
        target = self.catalogue.target(noun.by_column[column])
        seen = self.sees(target, viewer, row)
        if noun.noun.level != Level.CONTACT or self.sees_all(target, viewer):
            return seen
        if target.noun.level != Level.PERSON:
            return seen
        return sa.and_(seen, self._nameable_contact(viewer, row))

    def sees_all(self, noun: Bound, viewer: Viewer) -> bool:
        """Whether `…:read-all` lets the viewer see every row, broken ones too."""
        if not self.guards(READ_ALL):
            return False
        needed = {Permission.EVERYTHING_READ_ALL}
        if noun.noun.level in {Level.PERSON, Level.LABORATORY}:
            needed.add(Permission.PERSONS_READ_ALL)
        elif noun.noun.level != Level.ADMINISTRATION:
            needed.add(Permission.PROPOSALS_READ_ALL)
        return bool(viewer.permissions & needed)

    def sees(self, noun: Bound, viewer: Viewer, row: sa.FromClause) -> Condition:
        """The rows that exist for the viewer."""
        if not self._may_read(noun, viewer):
            return sa.false()
        if self.sees_all(noun, viewer):
            return sa.true()
        if noun.noun.named_by:
            return sa.or_(self._sees_by_level(noun, viewer, row), self._begun(noun, viewer, row))
        return self._sees_by_level(noun, viewer, row)

    def _sees_by_level(self, noun: Bound, viewer: Viewer, row: sa.FromClause) -> Condition:
        match noun.noun.level:
            case Level.PERSON | Level.LABORATORY | Level.CONTACT:
                return self._sees_people(noun, viewer, row)
            case Level.SESSION:
                return self._sees_session(viewer, row)
            case Level.CREW:
                return self._within(noun, row, lambda one: self._sees_session(viewer, one))
            case Level.DATA | Level.PROCESSING:
                seen = self._within(noun, row, lambda session: self._recorded(viewer, session))
                return sa.and_(seen, self.sound(noun, row))
            case Level.PLAN:
                return sa.or_(self._preset(viewer, row), self._planned(viewer, row))
            case Level.BEAMLINE | Level.LOOKUP:
                return self._agreed(viewer)
            case Level.ADMINISTRATION:
                return sa.false()
            case Level.ROOT:
                session = self._alias("BLSession")
                visited = sa.select(session.c.proposalId).where(self._visitor(viewer, session))
                return sa.or_(
                    self._insider(viewer, row.c.proposalId), row.c.proposalId.in_(visited)
                )
            case _:
                return sa.and_(self._along(noun, viewer, row), self.sound(noun, row))

    def implies(self, noun: Bound, viewer: Viewer, column: str) -> bool:
        """Whether a viewer who sees a row sees what a column of it leads to, without a look.

        The first chain of a sound row is how it was seen, so what stands on it is seen too; and a
        plan is seen with the sample or the crystal that names it.
        """
        target = self.catalogue.target(noun.by_column[column])
        if not self._may_read(target, viewer):
            return False
        if target.noun.level == Level.PLAN:
            return noun.path in PLANNED and self.guards(PLANNED_WITH)
        return (
            noun.noun.belongs_to[:1] == (column,)
            and target.noun.level in _IMPLIED.get(noun.noun.level, ())
            and self.guards(SOUND)
        )

    def shows(
        self, noun: Bound, viewer: Viewer, row: sa.FromClause, column: str
    ) -> Condition | None:
        """Where a column of a visible row may be read: a Person's are not for everybody."""
        if noun.noun.level != Level.PERSON or column in NAME_COLUMNS or self.sees_all(noun, viewer):
            return None
        if column in CONTACT_COLUMNS:
            return self._reachable_person(viewer, row)
        return self._whole_person(viewer, row)

    def creates(self, noun: Bound, viewer: Viewer, row: sa.FromClause) -> Condition:
        """The rows that the viewer may make."""
        if self._administers(viewer):
            return sa.true()
        if noun.noun.named_by:
            chained = self._writes_row(noun, viewer, row)
            return sa.or_(chained, self._begins(noun, viewer, row))
        return self._creates_by_level(noun, viewer, row)

    def begets(self, noun: Bound, viewer: Viewer, row: sa.FromClause, _column: str) -> Condition:
        """The rows that the viewer may make with a row of `noun` that is theirs to make."""
        if self._administers(viewer):
            return sa.true()
        return self._brought(noun, viewer, row)

    def _creates_by_level(self, noun: Bound, viewer: Viewer, row: sa.FromClause) -> Condition:
        match noun.noun.level:
            case Level.SESSION:
                return self._staff_writes(viewer, row)
            case Level.TEAM:
                return self._leads(viewer, row.c.proposalId)
            case Level.CREW:
                return self._makes_crew(noun, viewer, row)
            case Level.DATA:
                return self._within(noun, row, lambda session: self._records(viewer, session))
            case Level.PROCESSING:
                return self._within(noun, row, lambda session: self._staff_records(viewer, session))
            case Level.BEAMLINE:
                return self._staff_sets_up(viewer, row)
            case Level.PERSON | Level.LABORATORY | Level.ROOT | Level.LOOKUP | Level.ADMINISTRATION:
                return sa.false()
            case _:
                inside = self._reaches(noun, row, lambda owner: self._writes(viewer, owner))
                if noun.path == "dewar-transport-history":
                    return sa.or_(inside, self._goods_writes(viewer, row, noun.path))
                return inside

    def deletes(self, noun: Bound, viewer: Viewer, row: sa.FromClause) -> Condition:
        """The rows that the viewer may delete: those that the viewer could have made."""
        if noun.noun.named_by:
            return self.touches(noun, viewer, row)
        return self.creates(noun, viewer, row)

    def touches(self, noun: Bound, viewer: Viewer, row: sa.FromClause) -> Condition:
        """The rows in which the viewer may change at least one column."""
        if self._administers(viewer):
            return sa.true()
        if noun.noun.named_by:
            return self._holds(noun, viewer, row)
        match noun.noun.level:
            case Level.ROOT:
                return self._writes(viewer, row.c.proposalId)
            case Level.SESSION:
                return sa.or_(
                    self._member_writes(viewer, row.c.proposalId),
                    self._staff_comments(viewer, row),
                )
            case Level.PERSON:
                own = self._writes_yourself(viewer, row)
                contact = self._writes_contact_person(viewer, row)
                return sa.and_(sa.or_(own, contact), self._unshared(viewer, row))
            case Level.LABORATORY:
                mine = self._writes_laboratory(viewer, row)
                return sa.and_(mine, self._unshared_laboratory(viewer, row))
            case Level.PLAN:
                return self._writes_plan(viewer, row)
            case (
                Level.TEAM
                | Level.CREW
                | Level.DATA
                | Level.BEAMLINE
                | Level.LOOKUP
                | Level.PROCESSING
                | Level.ADMINISTRATION
            ):
                return self.creates(noun, viewer, row)
            case _:
                inside = self._reaches(noun, row, lambda owner: self._writes(viewer, owner))
                if noun.path == "dewars":
                    return sa.or_(inside, self._goods_writes(viewer, row, noun.path))
                return inside

    def sets(self, noun: Bound, viewer: Viewer, row: sa.FromClause, column: str) -> Condition:
        """The rows in which the viewer may change a column."""
        if self._administers(viewer):
            return sa.true()
        if column in noun.noun.rights:
            touched = self.touches(noun, viewer, row)
            return sa.and_(touched, self._rights_bearing(noun, viewer, row))
        if column in noun.noun.fixed:
            return sa.and_(self.touches(noun, viewer, row), self._stays(noun, viewer))
        if noun.path == "dewars" and column not in GOODS_COLUMNS:
            return self._reaches(noun, row, lambda owner: self._writes(viewer, owner))
        return self.touches(noun, viewer, row)

    def recalls(self, noun: Bound, viewer: Viewer, row: sa.FromClause) -> Condition:
        """A row's history is for the members of its proposal and staff; a person's for themselves.

        Whoever sees every row reads every history.
        """
        if self.sees_all(noun, viewer):
            return sa.true()
        match noun.noun.level:
            case Level.PERSON:
                return self._yourself(viewer, row)
            case Level.LABORATORY | Level.BEAMLINE | Level.LOOKUP | Level.ADMINISTRATION:
                return sa.false()
            case Level.SESSION:
                return self._recalls_session(viewer, row)
            case Level.CREW | Level.DATA | Level.PROCESSING:
                return self._within(noun, row, lambda one: self._recalls_session(viewer, one))
            case _:
                owner = self.owner(noun, row)
                return sa.false() if owner is None else self._insider(viewer, owner)

    def _recalls_session(self, viewer: Viewer, session: sa.FromClause) -> Condition:
        member = self.member(viewer, session.c.proposalId)
        return sa.or_(member, self.staff_session(viewer, session))

    def recalls_deleted(self, noun: Bound, viewer: Viewer) -> bool:
        """What is gone has no proposal any more: its history is for those who see every row."""
        return self.sees_all(noun, viewer)

    def _administers(self, viewer: Viewer) -> bool:
        return self.guards(WRITE_ALL) and Permission.EVERYTHING_WRITE_ALL in viewer.permissions

    def _may_read(self, noun: Bound, viewer: Viewer) -> bool:
        return self.may(viewer, noun.noun.read)


@lru_cache(maxsize=1000)
def _held(granted: frozenset[Permission]) -> frozenset[Permission]:
    """The permissions that are granted, and those that the ones for everything stand for."""
    return granted | {one for one in Permission if _stands_for(one) in granted}


def _stands_for(permission: Permission) -> Permission:
    writes = permission.endswith(":write")
    return Permission.EVERYTHING_WRITE_ALL if writes else Permission.EVERYTHING_READ_ALL


# Rules that are no condition in SQL: the engine and the viewers ask whether they are in force.
_OTHERS = (
    Rule(READ_ALL, "Whoever holds …:read-all sees every row, broken ones too.", grants=True),
    Rule(WRITE_ALL, "Administrators write every row and every column.", grants=True),
    Rule(SEEN_KEYS, "A foreign key in a body names only what its writer sees.", grants=False),
    Rule(SAME_OWNER, "A foreign key leads to the same proposal, or to none.", grants=False),
    Rule(BOTH_ENDS, "A row after its write must be the writer's too.", grants=False),
    Rule(STILL_NEEDED, "What other rows refer to is not deleted.", grants=False),
    Rule(UNSEEN_INCLUDES, "An include that the viewer may not see is null.", grants=False),
    Rule(SCOPE_NARROWS, "A token that carries a scope gives no right outside it.", grants=False),
)
RULES: tuple[Rule, ...] = (*NAMED.values(), *_OTHERS)
