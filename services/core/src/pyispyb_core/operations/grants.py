"""Putting people into the groups that ispyb.toml gives rights to: memberships only."""

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from pyispyb_core.settings import GroupSettings, PermissionSettings
from pyispyb_core.tables import Tables


class CannotGrant(Exception):
    """No such Person, or no group of ispyb.toml gives that."""


def group_giving(
    permissions: PermissionSettings, *, admin: bool, goods: bool, staff_of: str | None
) -> str:
    """The name of the configured group that gives just this. Raises CannotGrant where none does."""

    def gives(group: GroupSettings) -> bool:
        if admin:
            return group.administrator
        if goods:
            return group.goods and not group.administrator
        return staff_of in group.staff_of and not group.administrator

    for name, group in permissions.groups.items():
        if gives(group):
            return name
    wanted = (
        "administrator = true"
        if admin
        else "goods = true"
        if goods
        else f'staff_of = ["{staff_of}"]'
    )
    raise CannotGrant(f"no group in [permissions.groups] of ispyb.toml has {wanted}; add one")


def grant(connection: Connection, tables: Tables, login: str, group: str) -> bool:
    """Make the Person with this login a member of the group; False where it was one already."""
    person, user_group, member = (
        tables["Person"], tables["UserGroup"], tables["UserGroup_has_Person"],
    )  # fmt: skip
    found = connection.execute(
        sa.select(person.c.personId, person.c.login).where(person.c.login == login)
    ).all()
    ids = [row.personId for row in found if row.login == login]
    if not ids:
        raise CannotGrant(f"no Person has the login {login}")
    group_id = connection.execute(
        sa.select(user_group.c.userGroupId).where(user_group.c.name == group)
    ).scalar()
    if group_id is None:
        made = connection.execute(user_group.insert().values(name=group))
        group_id = made.inserted_primary_key[0]  # type: ignore[index]
    row = {"userGroupId": group_id, "personId": ids[0]}
    there = sa.select(member.c.personId).where(
        member.c.userGroupId == group_id, member.c.personId == ids[0]
    )
    if connection.execute(there).first() is not None:
        return False
    connection.execute(member.insert().values(row))
    return True
