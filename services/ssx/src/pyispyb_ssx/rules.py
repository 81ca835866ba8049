"""Who may see and record runs: every rule once, in SQL, under one English sentence."""

from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from pyispyb_chassis.nouns.catalogue import Bound
from pyispyb_chassis.nouns.policy import Condition
from pyispyb_chassis.permissions import Permission


@dataclass(frozen=True, slots=True)
class Viewer:
    """A caller as core describes them: what they may do and what they reach.

    `beam_lines` are those they are staff of, which never reaches `except_proposals`.
    """

    login: str
    permissions: frozenset[Permission] = frozenset()
    sees_all: bool = False
    proposals: frozenset[int] = frozenset()
    sessions: frozenset[int] = frozenset()
    beam_lines: frozenset[str] = frozenset()
    except_proposals: frozenset[int] = frozenset()

    def may(self, permission: Permission) -> bool:
        """Whether they hold a permission, itself or through the one for everything."""
        everything = (
            Permission.EVERYTHING_WRITE_ALL
            if permission.endswith(":write")
            else Permission.EVERYTHING_READ_ALL
        )
        return bool(self.permissions & {permission, everything})


class Rules:
    """The policy of ssx: a run is seen and recorded with the session that it is in."""

    def shape(self, viewer: Viewer) -> Hashable:
        """Statements differ by what the viewer may, not by who the viewer is."""
        return viewer.sees_all, viewer.permissions

    def parameters(self, viewer: Viewer) -> Mapping[str, Any]:
        """What conditions are told of the viewer."""
        return {
            "proposals": sorted(viewer.proposals),
            "sessions": sorted(viewer.sessions),
            "beam_lines": sorted(viewer.beam_lines),
            "except_proposals": sorted(viewer.except_proposals),
        }

    def may(self, viewer: Viewer, permission: Permission) -> bool:
        """Whether the viewer holds a permission at all."""
        return viewer.may(permission)

    def _of_members(self, run: sa.FromClause) -> Condition:
        """Members of a proposal reach its runs."""
        return run.c.proposalId.in_(sa.bindparam("proposals", expanding=True, type_=sa.Integer))

    def _of_participants(self, run: sa.FromClause) -> Condition:
        """Participants and the local contact of a session reach its runs."""
        return run.c.sessionId.in_(sa.bindparam("sessions", expanding=True, type_=sa.Integer))

    def _of_staff(self, run: sa.FromClause) -> Condition:
        """Staff and service accounts of a beamline reach its runs, those of closed codes apart."""
        beam_lines = sa.bindparam("beam_lines", expanding=True, type_=sa.String)
        closed = sa.bindparam("except_proposals", expanding=True, type_=sa.Integer)
        return sa.and_(run.c.beamLineName.in_(beam_lines), run.c.proposalId.not_in(closed))

    def _reached(self, run: sa.FromClause) -> Condition:
        return sa.or_(self._of_members(run), self._of_participants(run), self._of_staff(run))

    def sees(self, noun: Bound, viewer: Viewer, row: sa.FromClause) -> Condition:
        """The runs that exist for the viewer: those reached, or all for `…:read-all`."""
        if not viewer.may(noun.noun.read):
            return sa.false()
        return sa.true() if viewer.sees_all else self._reached(row)

    def implies(self, _noun: Bound, _viewer: Viewer, _column: str) -> bool:
        """Nothing hangs on a run."""
        return False

    def records(self, viewer: Viewer, row: sa.FromClause) -> Condition:
        """The runs that the viewer opens, sends batches of and closes: those reached."""
        if Permission.EVERYTHING_WRITE_ALL in viewer.permissions:
            return sa.true()
        return self._reached(row) if viewer.may(Permission.RUNS_WRITE) else sa.false()

    def shows(
        self, _noun: Bound, _viewer: Viewer, _row: sa.FromClause, _column: str
    ) -> Condition | None:
        """Every column of a visible run may be read."""
        return None

    def creates(self, _noun: Bound, viewer: Viewer, row: sa.FromClause) -> Condition:
        """The runs that the viewer may open."""
        return self.records(viewer, row)

    def begets(self, _noun: Bound, _viewer: Viewer, _row: sa.FromClause, _column: str) -> Condition:
        """A run brings no other row with it."""
        return sa.false()

    def sets(self, _noun: Bound, viewer: Viewer, row: sa.FromClause, _column: str) -> Condition:
        """The runs in which the viewer may change a column."""
        return self.records(viewer, row)

    def touches(self, _noun: Bound, viewer: Viewer, row: sa.FromClause) -> Condition:
        """The runs in which the viewer may change anything at all."""
        return self.records(viewer, row)

    def deletes(self, _noun: Bound, _viewer: Viewer, _row: sa.FromClause) -> Condition:
        """Nobody deletes a run."""
        return sa.false()

    def owner(self, _noun: Bound, row: sa.FromClause) -> sa.ColumnElement[Any]:
        """A run belongs to its session's proposal."""
        proposal_id: sa.ColumnElement[Any] = row.c.proposalId
        return proposal_id

    def sound(self, _noun: Bound, _row: sa.FromClause) -> Condition:
        """A run has one chain only."""
        return sa.true()

    def names(self, _noun: Bound, _viewer: Viewer, _column: str, _row: sa.FromClause) -> Condition:
        """A run has no foreign key inside ssx."""
        return sa.false()

    def recalls(self, noun: Bound, viewer: Viewer, row: sa.FromClause) -> Condition:
        """Whoever sees a run sees what became of it."""
        return self.sees(noun, viewer, row)

    def recalls_deleted(self, _noun: Bound, viewer: Viewer) -> bool:
        """Runs are not deleted; those who see all would see."""
        return viewer.sees_all

    def guards(self, _rule: str) -> bool:
        """All of the engine's own rules hold."""
        return True
