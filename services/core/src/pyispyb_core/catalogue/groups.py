"""The groups that ispyb.toml gives rights to, who is in them, and ISPyB's own permissions."""

from pyispyb_chassis.nouns.noun import READS, Action, Noun
from pyispyb_chassis.permissions import Permission
from pyispyb_core.rules import Level

_LINKED: tuple[Action, ...] = (*READS, "create", "delete")

user_groups = Noun(
    table="UserGroup",
    path="user-groups",
    area="administration",
    doc="A group of people; its name is what ispyb.toml gives rights to",
    level=Level.ADMINISTRATION,
    read=Permission.USER_GROUPS_READ,
    write=Permission.USER_GROUPS_WRITE,
    rights=("name",),
    includes=("UserGroup_has_Person", "UserGroup_has_Permission"),
    search=("name",),
    sort="name",
)

permissions = Noun(
    table="Permission",
    path="permissions",
    area="administration",
    doc="A permission of other programs on this database; it gives nothing here",
    level=Level.ADMINISTRATION,
    read=Permission.PERMISSIONS_READ,
    write=Permission.PERMISSIONS_WRITE,
    writable=("description",),
    rights=("type",),
    includes=("UserGroup_has_Permission",),
    search=("type", "description"),
    sort="type",
)

user_group_people = Noun(
    table="UserGroup_has_Person",
    path="user-group-people",
    singular="person of this group",
    area="administration",
    doc="That somebody is in a group, and has its rights",
    level=Level.ADMINISTRATION,
    within="userGroupId",
    segment="people",
    key="personId",
    belongs_to=("userGroupId",),
    read=Permission.USER_GROUP_PEOPLE_READ,
    write=Permission.USER_GROUP_PEOPLE_WRITE,
    actions=_LINKED,
    rights=("userGroupId", "personId"),
    includes=("UserGroup", "Person"),
    sort="personId",
)

user_group_permissions = Noun(
    table="UserGroup_has_Permission",
    path="user-group-permissions",
    singular="permission of this group",
    area="administration",
    doc="That a group has one of ISPyB's own permissions",
    level=Level.ADMINISTRATION,
    within="userGroupId",
    segment="permissions",
    key="permissionId",
    belongs_to=("userGroupId",),
    read=Permission.USER_GROUP_PERMISSIONS_READ,
    write=Permission.USER_GROUP_PERMISSIONS_WRITE,
    actions=_LINKED,
    rights=("userGroupId", "permissionId"),
    includes=("UserGroup", "Permission"),
    sort="permissionId",
)

NOUNS = (user_groups, permissions, user_group_people, user_group_permissions)
