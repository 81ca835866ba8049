"""The [ssx] part of ispyb.toml."""

from pyispyb_chassis.configuration import Section


class SsxSettings(Section):
    """[ssx]."""
