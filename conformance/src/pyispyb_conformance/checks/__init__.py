"""The clauses, one file a section of the contract, in its order."""

from pyispyb_conformance import clauses
from pyispyb_conformance.checks import (
    ending,
    issuer_block,
    keys,
    login,
    optional,
    refresh,
    refusals,
    services,
    token,
)

SECTIONS = (login, token, keys, refresh, ending, optional, services, issuer_block, refusals)
CLAUSES = sorted(
    clauses.CLAUSES, key=lambda one: tuple(int(part) for part in one.number.split("."))
)
