"""Who asks, and how a noun's rows come to whoever asks."""

from dataclasses import dataclass
from enum import StrEnum

from pyispyb_chassis.permissions import Permission


class Level(StrEnum):
    """How a noun's rows come to their viewers."""

    PROPOSAL = "proposal"  # with its proposal, along its chain
    ROOT = "root"  # a proposal itself
    TEAM = "team"  # with its proposal; made by the principal investigator
    SESSION = "session"
    CREW = "crew"  # with its session; its team made by the investigator, the others by staff
    SAMPLE = "sample"  # with its proposal, and to whoever took part in a session that used it
    DATA = "data"  # with the session in which it was recorded
    PROCESSING = "processing"  # with the collections that it was made of
    PLAN = "plan"  # with the samples and crystals that name it, or its proposal
    BEAMLINE = "beamline"
    LOOKUP = "lookup"
    CONTACT = "contact"
    PERSON = "person"
    LABORATORY = "laboratory"
    ADMINISTRATION = "administration"  # what gives rights: to administrators alone


@dataclass(frozen=True, slots=True)
class Viewer:
    """A caller as the rules know them; `person_id` is None for a login that has no Person.

    `inside` are the proposals that they see into, `member_of` those of them that they are a member
    of, `visited` the sessions that they take part in, all looked up with their rights; `has_made`:
    core's own tables are there, which tell what a login has made.
    """

    login: str
    person_id: int | None = None
    permissions: frozenset[Permission] = frozenset()
    staff_of: frozenset[str] = frozenset()
    goods: bool = False
    service: bool = False
    has_made: bool = False
    inside: tuple[int, ...] = ()
    member_of: tuple[int, ...] = ()
    visited: tuple[int, ...] = ()
