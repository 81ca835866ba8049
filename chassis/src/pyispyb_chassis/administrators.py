"""Who is an administrator before any service looks into its own database."""

from pyispyb_chassis.configuration import Administrators
from pyispyb_chassis.principal import Principal


def is_administrator(caller: Principal, named: Administrators) -> bool:
    """By [administrators] or by a group that the issuer is believed in; a service never is one."""
    is_named = caller.person and caller.login in named.logins
    return not caller.service and (caller.administrator or is_named)
