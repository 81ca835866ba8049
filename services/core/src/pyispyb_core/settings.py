"""Core's parts of ispyb.toml."""

import re
from zoneinfo import ZoneInfo

from pydantic import Field, SecretStr, field_validator

from pyispyb_chassis.configuration import Address, DatabaseUrl, Prefix, Section, ServiceSection
from pyispyb_chassis.permissions import Permission

# Files are called after acronyms, samples and containers.
NAME_IN_PATHS = r"[A-Za-z0-9_-]+"
_OF_ADMINISTRATORS = (
    Permission.PERMISSIONS_READ,
    Permission.PERMISSIONS_WRITE,
    Permission.SYNC_WRITE,
    Permission.USER_GROUP_PEOPLE_READ,
    Permission.USER_GROUP_PEOPLE_WRITE,
    Permission.USER_GROUP_PERMISSIONS_READ,
    Permission.USER_GROUP_PERMISSIONS_WRITE,
    Permission.USER_GROUPS_READ,
    Permission.USER_GROUPS_WRITE,
)
# What everyone may: reads, and writes of a member. Logins and memberships are not among them.
BASE = frozenset(
    permission
    for permission in Permission
    if permission.endswith((":read", ":write")) and permission not in _OF_ADMINISTRATORS
)


class CoreSettings(ServiceSection):
    """[core]: where the ISPyB database is and how it is read."""

    listen: Address = "127.0.0.1:8102"
    inside_listen: Address = "127.0.0.1:9102"
    prefix: Prefix = "/core"
    database_url: DatabaseUrl = Field(SecretStr("sqlite:///var/db/core.sqlite"))
    own_schema: str = Field(
        "pyispyb_core",
        pattern=r"^[a-z][a-z0-9_]{0,30}$",
        description="the schema of core's own tables, on the same server",
    )
    database_timezone: str = Field("Europe/Paris", description="the zone of its DATETIME columns")
    staff_window_days: int = Field(60, ge=0, le=3650)
    closed_proposal_codes: frozenset[str] = Field(
        frozenset(), description="proposal codes that beamline staff cannot see"
    )
    closed_shipping_statuses: frozenset[str] = Field(
        frozenset({"closed", "processing done"}),
        description="the shippingStatus words with which goods handling is over",
    )
    operator_is_login: bool = Field(
        default=False,
        description="BLSession.beamLineOperator holds the login of a local contact",
    )
    name_pattern: str = Field(
        NAME_IN_PATHS,
        min_length=1,
        max_length=200,
        description="what acronyms and names of samples, groups and containers match",
    )
    unique_sample_names: bool = Field(
        default=True, description="a sample's name is unique under one acronym of a proposal"
    )
    rights_cache_seconds: float = Field(10, ge=0, le=30)
    query_timeout: float = Field(
        3, ge=0.1, le=3.5, description="seconds after which a statement is ended: 503"
    )

    @field_validator("name_pattern")
    @classmethod
    def _compiles(cls, value: str) -> str:
        try:
            re.compile(value)
        except re.error as error:
            raise ValueError(f"no regular expression: {error}") from error
        return value

    @field_validator("database_timezone")
    @classmethod
    def _known_zone(cls, value: str) -> str:
        try:
            ZoneInfo(value)
        except (KeyError, ValueError, OSError) as error:
            raise ValueError("not a time zone of the tz database, as Europe/Paris") from error
        return value


class GroupSettings(Section):
    """What a member of one UserGroup may do besides what everyone may."""

    permissions: frozenset[Permission] = frozenset()
    staff_of: frozenset[str] = frozenset()
    goods: bool = False
    administrator: bool = False


class PermissionSettings(Section):
    """[permissions]: what a valid login and a member of a group may do."""

    everyone: frozenset[Permission] = BASE
    groups: dict[str, GroupSettings] = Field(default_factory=dict)

    @field_validator("groups")
    @classmethod
    def _names_fit(cls, value: dict[str, GroupSettings]) -> dict[str, GroupSettings]:
        long = [name for name in value if len(name) > 31]
        if long:
            raise ValueError(f"a UserGroup's name has at most 31 characters: {long}")
        return value
