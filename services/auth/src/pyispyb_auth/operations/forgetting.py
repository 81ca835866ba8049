"""Forgetting a person: all that auth keeps of them goes, the lines of the audit stay."""

import json

import sqlalchemy as sa

from pyispyb_auth.operations.audit import audit
from pyispyb_auth.operations.revoking import Revocations
from pyispyb_auth.operations.service_secrets import account_of
from pyispyb_auth.tables import browser_login, personal_token, refresh_family
from pyispyb_chassis.database import Database
from pyispyb_chassis.errors import Conflict


def forget(database: Database, revocations: Revocations, login: str, *, by: str) -> dict[str, int]:
    """Take out a person's logins and personal tokens; how many there were of each.

    Raises Conflict for a service account, which is revoked instead.
    """
    of_login = refresh_family.c.login == login
    with database.writing() as connection:
        if account_of(connection, login) is not None:
            raise Conflict("this is a service account: pyispyb-auth accounts revoke")
        families = connection.execute(
            sa.select(refresh_family.c.sid, refresh_family.c.login).where(of_login)
        ).all()
        tokens = connection.execute(
            sa.select(personal_token.c.tokenId, personal_token.c.login).where(
                personal_token.c.login == login
            )
        ).all()
        arrived = connection.execute(
            sa.select(browser_login.c.state, browser_login.c.identity).where(
                browser_login.c.identity.is_not(None)
            )
        ).all()
        # A database may compare without case; a login is its letters.
        sids = [row.sid for row in families if row.login == login]
        ids = [row.tokenId for row in tokens if row.login == login]
        states = [row.state for row in arrived if json.loads(row.identity)["login"] == login]
        for table, column, keys in (
            (refresh_family, refresh_family.c.sid, sids),
            (personal_token, personal_token.c.tokenId, ids),
            (browser_login, browser_login.c.state, states),
        ):
            connection.execute(table.delete().where(column.in_(keys)))
        revocations.put(connection, "login", login)
    audit("person forgotten", login=login, by=by)
    return {"logins": len(sids) + len(states), "personal tokens": len(ids)}
