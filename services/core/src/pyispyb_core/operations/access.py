"""What a caller reaches, as sibling services need to know it."""

from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from pyispyb_chassis.permissions import Permission
from pyispyb_core.operations.viewers import shown
from pyispyb_core.rules import Rules, Viewer
from pyispyb_core.settings import CoreSettings
from pyispyb_core.tables import Tables


def current(connection: Connection, tables: Tables, viewer: Viewer) -> dict[str, Any]:
    """The caller: login, permissions, and the names on their Person if there is one."""
    answer: dict[str, Any] = {**shown(viewer), "givenName": None, "familyName": None}
    if viewer.person_id is not None:
        person = tables.alias("Person")
        names = connection.execute(
            sa.select(person.c.givenName, person.c.familyName).where(
                person.c.personId == viewer.person_id
            )
        ).first()
        if names is not None:
            answer.update(givenName=names.givenName, familyName=names.familyName)
    return answer


def access(
    connection: Connection, tables: Tables, rules: Rules, settings: CoreSettings, viewer: Viewer
) -> dict[str, Any]:
    """The ids of all that the caller reaches.

    `proposals`: member; `sessions`: participant, or local contact where not closed to staff;
    `beamLines`: staff, which never reaches `exceptProposals`; `staffProposals`: those with a
    session there inside the staff window.
    """
    everything = bool(
        viewer.permissions & {Permission.EVERYTHING_READ_ALL, Permission.PROPOSALS_READ_ALL}
    )
    proposal, session = tables.alias("Proposal"), tables.alias("BLSession")
    parameters = rules.parameters(viewer)

    def ids(column: sa.ColumnElement[int], condition: sa.ColumnElement[bool]) -> list[int]:
        statement = sa.select(column).where(condition).order_by(column)
        return list(connection.execute(statement, parameters).scalars())

    closed = proposal.c.proposalCode.in_(sorted(settings.closed_proposal_codes))
    return {
        "login": viewer.login,
        "personId": viewer.person_id,
        "permissions": sorted(viewer.permissions),
        "all": everything,
        "proposals": ids(proposal.c.proposalId, rules.member(viewer, proposal.c.proposalId)),
        "sessions": ids(session.c.sessionId, rules.takes_part(viewer, session)),
        "beamLines": sorted(viewer.staff_of),
        "exceptProposals": ids(proposal.c.proposalId, closed) if viewer.staff_of else [],
        "staffProposals": ids(
            proposal.c.proposalId, rules.staff_proposal(viewer, proposal.c.proposalId)
        ),
    }
