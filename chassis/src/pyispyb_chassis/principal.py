"""Who calls: what a verified token says, and nothing more."""

from dataclasses import dataclass, field

from flask import g

from pyispyb_chassis.errors import Unauthenticated


@dataclass(frozen=True, slots=True)
class Principal:
    """The verified claims of one token.

    `scope` is None where the token does not narrow its bearer; `groups`, `beamlines` and
    `administrator` are empty unless the issuer's block says that they are believed.
    `only_beamlines` is None where the token does not narrow whose staff its bearer is. `person`
    says whether the login is one of ISPyB's Person rows: another issuer's alice is not ours.
    Who came by a link has no token; a sibling is asked for them by `link`, a link of its own.
    """

    login: str
    issuer: str
    expires: int
    token: str = field(repr=False)
    service: bool = False
    scope: frozenset[str] | None = None
    beamlines: frozenset[str] = frozenset()
    groups: frozenset[str] = frozenset()
    administrator: bool = False
    only_beamlines: frozenset[str] | None = None
    person: bool = True
    link: str = field(default="", repr=False)

    @property
    def name(self) -> str:
        """Whom rows and logs name: the login, after its issuer where it is not a Person's."""
        return self.login if self.person else f"{self.issuer}:{self.login}"


def principal() -> Principal:
    """The caller of the request being served."""
    caller = g.get("principal")
    if not isinstance(caller, Principal):
        raise Unauthenticated
    return caller
