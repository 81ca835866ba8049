"""The [auth] part of ispyb.toml."""

from pyispyb_chassis.configuration import Section


class AuthSettings(Section):
    """[auth]."""
