"""Core's parts of ispyb.toml."""

from pydantic import Field, SecretStr

from pyispyb_chassis.configuration import Address, DatabaseUrl, Prefix, Section


class CoreSettings(Section):
    """[core]: where the ISPyB database is and how it is read."""

    listen: Address = "127.0.0.1:8102"
    inside_listen: Address = "127.0.0.1:9102"
    prefix: Prefix = "/core"
    database_url: DatabaseUrl = Field(SecretStr("sqlite:///var/db/core.sqlite"))


class AdministratorSettings(Section):
    """[administrators]: who is an administrator before any row says so."""

    logins: frozenset[str] = frozenset()


class PermissionSettings(Section):
    """[permissions]: what a valid login and a member of a group may do."""
