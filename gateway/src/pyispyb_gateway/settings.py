"""The [gateway] part of ispyb.toml."""

from pyispyb_chassis.configuration import Section


class GatewaySettings(Section):
    """[gateway]."""
