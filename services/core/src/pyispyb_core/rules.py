"""Who may see and do what: every rule once, in SQL, under one English sentence."""

from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from functools import wraps
from typing import Any
from zoneinfo import ZoneInfo

import sqlalchemy as sa

from pyispyb_chassis.nouns.catalogue import Bound, Catalogue, primary_key
from pyispyb_chassis.nouns.policy import (
    BOTH_ENDS,
    SAME_OWNER,
    SEEN_KEYS,
    STILL_NEEDED,
    UNSEEN_INCLUDES,
    Condition,
)
from pyispyb_chassis.permissions import Permission
from pyispyb_core.settings import CoreSettings
from pyispyb_core.tables import Tables

LOCAL_CONTACT_ROLES = ("Local Contact", "Local Contact 2")
# The nouns whose rows name a diffraction plan, the first decides whose it is.
PLANNED = ("samples", "crystals")
# The tables by which a proposal has a Person.
PERSON_USES = ("ProposalHasPerson", "Proposal", "LabContact")
GOODS_COLUMNS = frozenset(
    {
        "dewarStatus",
        "storageLocation",
        "trackingNumberToSynchrotron",
        "trackingNumberFromSynchrotron",
    }
)
READ_ALL = "read-all sees every row"
WRITE_ALL = "administrators write every row"
SCOPE_NARROWS = "a token's scope narrows its bearer"
NAME_COLUMNS = frozenset({"personId", "givenName", "familyName", "title"})
CONTACT_COLUMNS = frozenset({"emailAddress", "phoneNumber", "faxNumber", "laboratoryId"})


class Level(StrEnum):
    """How a noun's rows come to their viewers."""

    PROPOSAL = "proposal"  # with its proposal, along its chain
    ROOT = "root"  # a proposal itself
    SESSION = "session"
    SAMPLE = "sample"  # with its proposal, and to whoever took part in a session that used it
    DATA = "data"  # with the session in which it was recorded
    PROCESSING = "processing"  # with the collections that it was made of
    PLAN = "plan"  # with the samples and crystals that name it, or its proposal
    BEAMLINE = "beamline"
    LOOKUP = "lookup"
    CONTACT = "contact"
    PERSON = "person"
    LABORATORY = "laboratory"


@dataclass(frozen=True, slots=True)
class Viewer:
    """A caller as the rules know them; `person_id` is None for a login that has no Person."""

    login: str
    person_id: int | None = None
    permissions: frozenset[Permission] = frozenset()
    staff_of: frozenset[str] = frozenset()
    goods: bool = False
    service: bool = False


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule's name and sentence; `grants` or limits."""

    name: str
    sentence: str
    grants: bool


_RULES: dict[str, Rule] = {}
Method = Callable[..., Condition]


def _rule(name: str, *, grants: bool) -> Callable[[Method], Method]:
    def register(method: Method) -> Method:
        sentence = " ".join((method.__doc__ or "").split())
        _RULES[name] = Rule(name, sentence, grants)

        @wraps(method)
        def ruled(self: "Rules", *args: Any) -> Condition:
            if name in self.without:
                return sa.false() if grants else sa.true()
            return method(self, *args)

        return ruled

    return register


def grants(name: str) -> Callable[[Method], Method]:
    """A rule that lets somebody see or do something; without it nobody is let."""
    return _rule(name, grants=True)


def limits(name: str) -> Callable[[Method], Method]:
    """A rule that keeps something from somebody; without it nothing is kept."""
    return _rule(name, grants=False)


class Rules:
    """The policy of core: answers the engine's questions from the named rules below."""

    def __init__(
        self, tables: Tables, settings: CoreSettings, *, without: frozenset[str] = frozenset()
    ) -> None:
        unknown = without - {rule.name for rule in RULES}
        if unknown:
            raise KeyError(f"no such rule: {', '.join(sorted(unknown))}")
        self._tables = tables
        self._settings = settings
        self._zone = ZoneInfo(settings.database_timezone)
        self._catalogue: Catalogue | None = None
        self.without = without

    def attach(self, catalogue: Catalogue) -> None:
        """Tell the rules of the nouns, whose chains they follow."""
        self._catalogue = catalogue

    @property
    def catalogue(self) -> Catalogue:
        """The nouns whose chains the rules follow."""
        if self._catalogue is None:
            raise LookupError("the rules were not attached to a catalogue")
        return self._catalogue

    def _word(self, column: sa.ColumnElement[str]) -> sa.ColumnElement[str]:
        """A text as MariaDB compares it: without case and trailing blanks."""
        if not self._tables.sqlite:
            return column
        return sa.func.rtrim(column, type_=sa.String).collate("NOCASE")

    # Who sees a proposal: conditions on a proposalId.

    @grants("members see their proposal")
    def _member(self, viewer: Viewer, proposal_id: sa.ColumnElement[int]) -> Condition:
        """Those in ProposalHasPerson see everything in the proposal."""
        if viewer.person_id is None:
            return sa.false()
        member = self._tables["ProposalHasPerson"].alias()
        mine = sa.select(member.c.proposalId).where(member.c.personId == _PERSON)
        return proposal_id.in_(mine)

    @grants("the proposal's person is a member")
    def _investigator(self, viewer: Viewer, proposal_id: sa.ColumnElement[int]) -> Condition:
        """Proposal.personId is a member too, with or without a row in ProposalHasPerson."""
        if viewer.person_id is None:
            return sa.false()
        proposal = self._tables["Proposal"].alias()
        mine = sa.select(proposal.c.proposalId).where(proposal.c.personId == _PERSON)
        return proposal_id.in_(mine)

    def member(self, viewer: Viewer, proposal_id: sa.ColumnElement[int]) -> Condition:
        """The proposals that the viewer is a member of, one way or the other."""
        return sa.or_(self._member(viewer, proposal_id), self._investigator(viewer, proposal_id))

    def staff_proposal(self, viewer: Viewer, proposal_id: sa.ColumnElement[int]) -> Condition:
        """The proposals with a session, within the window, that the viewer is staff of."""
        if not viewer.staff_of and viewer.person_id is None:
            return sa.false()
        session = self._tables["BLSession"].alias()
        there = sa.select(session.c.proposalId).where(
            self.staff_session(viewer, session), self._in_window(session)
        )
        return proposal_id.in_(there)

    @limits("the staff window")
    def _in_window(self, session: sa.FromClause) -> Condition:
        """Staff see proposals with a session there from 60 days before to 60 days after now."""
        return sa.and_(
            session.c.startDate <= sa.bindparam("window_end", type_=sa.DateTime),
            session.c.endDate >= sa.bindparam("window_start", type_=sa.DateTime),
        )

    # Who sees a session: conditions on a BLSession row.

    @grants("participants see their session")
    def _participant(self, viewer: Viewer, session: sa.FromClause) -> Condition:
        """Those in Session_has_Person, local contacts apart, see that session."""
        if viewer.person_id is None:
            return sa.false()
        part = self._tables["Session_has_Person"].alias()
        role = sa.type_coerce(part.c.role, sa.String)
        mine = sa.select(part.c.sessionId).where(
            part.c.personId == _PERSON, sa.or_(role.is_(None), role.not_in(LOCAL_CONTACT_ROLES))
        )
        return session.c.sessionId.in_(mine)

    @grants("staff see the sessions of their beamlines")
    def _beamline_staff(self, viewer: Viewer, session: sa.FromClause) -> Condition:
        """Beamline staff see the sessions on their beamlines, of any time."""
        if not viewer.staff_of:
            return sa.false()
        beamlines = sa.bindparam("beamlines", expanding=True, type_=sa.String)
        return self._word(session.c.beamLineName).in_(beamlines)

    @grants("a local contact is staff for that session")
    def _local_contact(self, viewer: Viewer, session: sa.FromClause) -> Condition:
        """A local contact in Session_has_Person is staff for that session only."""
        if viewer.person_id is None:
            return sa.false()
        part = self._tables["Session_has_Person"].alias()
        role = sa.type_coerce(part.c.role, sa.String)
        mine = sa.select(part.c.sessionId).where(
            part.c.personId == _PERSON, role.in_(LOCAL_CONTACT_ROLES)
        )
        return session.c.sessionId.in_(mine)

    @limits("codes closed to staff")
    def _not_closed(self, session: sa.FromClause) -> Condition:
        """Sessions of a proposal whose code is closed are not for staff or local contacts."""
        proposal = self._tables["Proposal"].alias()
        closed = sa.select(proposal.c.proposalId).where(
            self._word(proposal.c.proposalCode).in_(
                sa.bindparam("closed_codes", expanding=True, type_=sa.String)
            )
        )
        return session.c.proposalId.not_in(closed)

    def staff_session(self, viewer: Viewer, session: sa.FromClause) -> Condition:
        """The sessions that the viewer is staff of."""
        staff = sa.or_(self._beamline_staff(viewer, session), self._local_contact(viewer, session))
        return sa.and_(staff, self._not_closed(session))

    def takes_part(self, viewer: Viewer, session: sa.FromClause) -> Condition:
        """The sessions that the viewer is a participant or the local contact of."""
        contact = sa.and_(self._local_contact(viewer, session), self._not_closed(session))
        return sa.or_(self._participant(viewer, session), contact)

    # Samples that were used.

    @grants("participants see samples of their collections")
    def _collected(self, viewer: Viewer, sample: sa.FromClause) -> Condition:
        """A sample is used in a session by a DataCollectionGroup that names it."""
        group = self._tables["DataCollectionGroup"].alias()
        return self._used(viewer, sample, group.c.blSampleId, group.c.sessionId)

    @grants("participants see samples that the robot loaded")
    def _loaded(self, viewer: Viewer, sample: sa.FromClause) -> Condition:
        """A sample is used in a session by a RobotAction that names it."""
        action = self._tables["RobotAction"].alias()
        return self._used(viewer, sample, action.c.blsampleId, action.c.blsessionId)

    def _used(
        self,
        viewer: Viewer,
        sample: sa.FromClause,
        sample_id: sa.ColumnElement[int],
        session_id: sa.ColumnElement[int],
    ) -> Condition:
        if viewer.person_id is None:
            return sa.false()
        session = self._tables["BLSession"].alias()
        use = sa.select(sample_id).join_from(
            sample_id.table, session, session.c.sessionId == session_id
        )
        mine = use.where(self._participant(viewer, session), self._own_sample(sample, session))
        mine = mine.correlate(sample)
        return sample.c.blSampleId.in_(mine)

    @limits("a used sample is of the session's proposal")
    def _own_sample(self, sample: sa.FromClause, session: sa.FromClause) -> Condition:
        """A collection that names another proposal's sample shows it to nobody."""
        owner = self.owner(self.catalogue["samples"], sample)
        return sa.and_(sa.true(), session.c.proposalId == owner)

    # What was recorded in a session.

    @grants("data are seen with their session")
    def _recorded(self, viewer: Viewer, session: sa.FromClause) -> Condition:
        """Whoever sees a session sees what was recorded in it and made of that."""
        return self._sees_session(viewer, session)

    def _sees_session(self, viewer: Viewer, session: sa.FromClause) -> Condition:
        return sa.or_(
            self.member(viewer, session.c.proposalId),
            self._participant(viewer, session),
            self.staff_session(viewer, session),
        )

    @grants("processing is seen with the collections that it integrated")
    def _integrated(
        self, program: sa.FromClause, test: Callable[[sa.FromClause], Condition]
    ) -> Condition:
        """A program's results are seen with each data collection that it integrated."""
        integration = self._tables["AutoProcIntegration"].alias()
        noun = self.catalogue["autoproc-integrations"]
        through = sa.select(integration.c.autoProcProgramId).where(
            self._within(noun, integration, test), integration.c.autoProcProgramId.is_not(None)
        )
        return program.c.autoProcProgramId.in_(through)

    def _within(
        self, noun: Bound, row: sa.FromClause, test: Callable[[sa.FromClause], Condition]
    ) -> Condition:
        """Rows whose chain, the first that is set, leads to a session that passes the test."""
        ways: list[Condition] = []
        before: list[Condition] = []
        for column in noun.noun.belongs_to:
            parent_noun = self.catalogue.target(noun.by_column[column])
            parent = parent_noun.table.alias()
            if parent_noun.noun.level == Level.SESSION:
                passed = test(parent)
            else:
                passed = self._within(parent_noun, parent, test)
            reached = sa.select(primary_key(parent_noun, parent)).where(passed)
            ways.append(sa.and_(*before, row.c[column].in_(reached)))
            before.append(row.c[column].is_(None))
        if noun.path == "autoproc-programs":
            ways.append(sa.and_(*before, self._integrated(row, test)))
        return sa.or_(*ways)

    # Plans of measurements.

    @grants("a plan is seen with what it is for")
    def _planned(self, viewer: Viewer, plan: sa.FromClause) -> Condition:
        """Whoever sees a sample or a crystal sees the diffraction plan that it names."""
        ways = []
        for path in PLANNED:
            noun = self.catalogue[path]
            named = noun.table.alias()
            seen = sa.select(named.c.diffractionPlanId).where(
                self._along(noun, viewer, named),
                self.sound(noun, named),
                named.c.diffractionPlanId.is_not(None),
            )
            ways.append(plan.c.diffractionPlanId.in_(seen))
        return sa.or_(*ways)

    @grants("a plan of a proposal is seen in it")
    def _preset(self, viewer: Viewer, plan: sa.FromClause) -> Condition:
        """Whoever sees into a proposal sees the plans that are kept for it."""
        return self._insider(viewer, plan.c.presetForProposalId)

    def _owner_of_plan(self, plan: sa.FromClause) -> sa.ColumnElement[Any]:
        """Its proposal; without one, that of the samples, then the crystals that name it.

        Where these are of several proposals it is the first's, and the others may not name it.
        """
        owners: list[sa.ColumnElement[Any]] = [plan.c.presetForProposalId]
        for path in PLANNED:
            noun = self.catalogue[path]
            named = noun.table.alias()
            owner = self.owner(noun, named)
            if owner is None:
                raise LookupError(f"{path} have no owner")
            first = sa.select(sa.func.min(owner)).select_from(named)
            joined = named.c.diffractionPlanId == plan.c.diffractionPlanId
            owners.append(first.where(joined).correlate(plan).scalar_subquery())
        return sa.func.coalesce(*owners)

    def _writes_plan(self, viewer: Viewer, plan: sa.FromClause) -> Condition:
        """Its proposal is the viewer's to write in, and so is all that names it."""
        owner = self._owner_of_plan(plan)
        foreign = []
        for path in PLANNED:
            noun = self.catalogue[path]
            named = noun.table.alias()
            mine = self._reaches(noun, named, lambda one: self._writes(viewer, one))
            joined = named.c.diffractionPlanId == plan.c.diffractionPlanId
            foreign.append(sa.exists().where(joined, sa.not_(mine)))
        return sa.and_(self._writes(viewer, owner), self._unshared_plan(foreign))

    @limits("a shared plan is for administrators")
    def _unshared_plan(self, foreign: list[Condition]) -> Condition:
        """A plan that another proposal's sample also names is changed by administrators only."""
        return sa.not_(sa.or_(*foreign))

    # Beamlines and words.

    @grants("everybody reads what a site has agreed on")
    def _agreed(self, viewer: Viewer) -> Condition:
        """Detectors, setups, kinds of things are seen by every Person and service account."""
        return sa.true() if viewer.service or viewer.person_id is not None else sa.false()

    @grants("staff record the setups of their beamlines")
    def _staff_sets_up(self, viewer: Viewer, setup: sa.FromClause) -> Condition:
        """Staff of a beamline make and change its setups."""
        if not viewer.staff_of:
            return sa.false()
        beamlines = sa.bindparam("beamlines", expanding=True, type_=sa.String)
        return self._word(setup.c.beamlineName).in_(beamlines)

    # Goods handling.

    @grants("goods handling sees open shipments")
    def _goods(self, viewer: Viewer, shipping: sa.FromClause) -> Condition:
        """Goods handling sees shipments while they are open, their dewars and contacts."""
        return self._open(shipping) if viewer.goods else sa.false()

    @limits("closed shipments are not goods any more")
    def _open(self, shipping: sa.FromClause) -> Condition:
        """A shipment is open while its status is none of the closed ones."""
        closed = sa.bindparam("closed_statuses", expanding=True, type_=sa.String)
        status = self._word(shipping.c.shippingStatus)
        return sa.or_(status.is_(None), status.not_in(closed))

    # People.

    @grants("you see yourself")
    def _yourself(self, viewer: Viewer, person: sa.FromClause) -> Condition:
        """Everybody sees their own Person, whole."""
        return sa.false() if viewer.person_id is None else person.c.personId == _PERSON

    @grants("co-members see one another's names")
    def _co_member(self, viewer: Viewer, person: sa.FromClause) -> Condition:
        """The members of a proposal see id, names and title of its other members."""
        if viewer.person_id is None:
            return sa.false()
        member, proposal = (
            self._tables["ProposalHasPerson"].alias(),
            self._tables["Proposal"].alias(),
        )
        listed = sa.select(member.c.personId).where(self.member(viewer, member.c.proposalId))
        named = sa.select(proposal.c.personId).where(self.member(viewer, proposal.c.proposalId))
        return sa.or_(person.c.personId.in_(listed), person.c.personId.in_(named))

    @grants("whoever sees a lab contact sees how to reach them")
    def _contact_person(self, viewer: Viewer, person: sa.FromClause) -> Condition:
        """A lab contact's Person is seen, names and addresses, by whoever sees the lab contact."""
        contact = self._tables["LabContact"].alias()
        seen = sa.select(contact.c.personId).where(self._contact(viewer, contact))
        return person.c.personId.in_(seen)

    def _contact(self, viewer: Viewer, contact: sa.FromClause) -> Condition:
        shipping = self._tables["Shipping"].alias()
        sending = sa.select(shipping.c.sendingLabContactId).where(
            self._goods(viewer, shipping), shipping.c.sendingLabContactId.is_not(None)
        )
        returning = sa.select(shipping.c.returnLabContactId).where(
            self._goods(viewer, shipping), shipping.c.returnLabContactId.is_not(None)
        )
        seen = [self._insider(viewer, contact.c.proposalId)]
        if viewer.goods:
            seen += [contact.c.labContactId.in_(sending), contact.c.labContactId.in_(returning)]
        return sa.or_(*seen)

    @limits("other columns of a person are hidden")
    def _whole_person(self, viewer: Viewer, person: sa.FromClause) -> Condition:
        """Only you yourself see all columns of your Person."""
        return self._yourself(viewer, person)

    @limits("addresses are for those who see the lab contact")
    def _reachable_person(self, viewer: Viewer, person: sa.FromClause) -> Condition:
        """A co-member who is no lab contact shows a name and no address."""
        return sa.or_(self._yourself(viewer, person), self._contact_person(viewer, person))

    @grants("you see your own laboratory")
    def _own_laboratory(self, viewer: Viewer, laboratory: sa.FromClause) -> Condition:
        """Everybody sees the laboratory that their own Person names."""
        if viewer.person_id is None:
            return sa.false()
        person = self._tables["Person"].alias()
        mine = sa.select(person.c.laboratoryId).where(person.c.personId == _PERSON)
        return laboratory.c.laboratoryId.in_(mine)

    @grants("whoever sees a lab contact sees its laboratory")
    def _contact_laboratory(self, viewer: Viewer, laboratory: sa.FromClause) -> Condition:
        """The laboratory of a lab contact is seen by whoever sees the lab contact."""
        person = self._tables["Person"].alias()
        seen = sa.select(person.c.laboratoryId).where(self._contact_person(viewer, person))
        return laboratory.c.laboratoryId.in_(seen)

    # Who writes.

    @grants("members write in their proposal")
    def _member_writes(self, viewer: Viewer, proposal_id: sa.ColumnElement[int]) -> Condition:
        """Members create, change and delete what belongs to their proposal."""
        return self.member(viewer, proposal_id)

    @grants("service accounts write where their beamlines are")
    def _service_writes(self, viewer: Viewer, proposal_id: sa.ColumnElement[int]) -> Condition:
        """A service account writes, within its scope, in the proposals that it sees."""
        return self.staff_proposal(viewer, proposal_id) if viewer.service else sa.false()

    def _writes(self, viewer: Viewer, proposal_id: sa.ColumnElement[int]) -> Condition:
        return sa.or_(
            self._member_writes(viewer, proposal_id), self._service_writes(viewer, proposal_id)
        )

    @grants("staff write the sessions of their beamlines")
    def _staff_writes(self, viewer: Viewer, session: sa.FromClause) -> Condition:
        """Staff of a beamline make and change its sessions, rights-bearing columns included."""
        staff = sa.and_(self._beamline_staff(viewer, session), self._not_closed(session))
        return sa.and_(staff, self._within_reach(viewer, session))

    @limits("staff set dates only where they see the proposal")
    def _within_reach(self, viewer: Viewer, session: sa.FromClause) -> Condition:
        """Nobody opens a proposal to themselves by moving an old session into the window."""
        return self._insider(viewer, session.c.proposalId)

    @grants("staff comment their sessions")
    def _staff_comments(self, viewer: Viewer, session: sa.FromClause) -> Condition:
        """Staff and the local contact change the plain columns of their sessions, of any time."""
        return self.staff_session(viewer, session)

    @grants("members record in their sessions")
    def _member_records(self, viewer: Viewer, session: sa.FromClause) -> Condition:
        """Members record in every session of their proposal."""
        return self.member(viewer, session.c.proposalId)

    @grants("participants record in their session")
    def _participant_records(self, viewer: Viewer, session: sa.FromClause) -> Condition:
        """Participants write what was recorded in their session, and nothing else."""
        return self._participant(viewer, session)

    @grants("staff record in the sessions of their beamlines")
    def _staff_records(self, viewer: Viewer, session: sa.FromClause) -> Condition:
        """Staff, local contacts and service accounts record in the sessions they are staff of."""
        return self.staff_session(viewer, session)

    def _records(self, viewer: Viewer, session: sa.FromClause) -> Condition:
        return sa.or_(
            self._member_records(viewer, session),
            self._participant_records(viewer, session),
            self._staff_records(viewer, session),
        )

    @grants("goods handling follows dewars")
    def _goods_writes(self, viewer: Viewer, row: sa.FromClause, path: str) -> Condition:
        """Goods handling writes status, place, tracking and history of dewars in open shipments."""
        return self._of_goods(viewer, row, path)

    @grants("you write yourself")
    def _writes_yourself(self, viewer: Viewer, person: sa.FromClause) -> Condition:
        """Everybody changes the plain columns of their own Person."""
        return sa.false() if viewer.person_id is None else person.c.personId == _PERSON

    @grants("members write their lab contacts' persons")
    def _writes_contact_person(self, viewer: Viewer, person: sa.FromClause) -> Condition:
        """A lab contact's Person without a login is changed by the proposal's members."""
        contact = self._tables["LabContact"].alias()
        mine = sa.select(contact.c.personId).where(self.member(viewer, contact.c.proposalId))
        return sa.and_(person.c.login.is_(None), person.c.personId.in_(mine))

    @limits("a shared person is for administrators")
    def _unshared(self, viewer: Viewer, person: sa.FromClause) -> Condition:
        """A Person that another proposal also uses is changed by administrators only."""
        uses = []
        for table in PERSON_USES:
            use = self._tables[table].alias()
            others = sa.not_(self.member(viewer, use.c.proposalId))
            uses.append(sa.exists().where(use.c.personId == person.c.personId, others))
        return sa.not_(sa.or_(*uses))

    @grants("members write the laboratories of their people")
    def _writes_laboratory(self, viewer: Viewer, laboratory: sa.FromClause) -> Condition:
        """A laboratory is changed by the members of a proposal whose people it has."""
        person = self._tables["Person"].alias()
        there = person.c.laboratoryId == laboratory.c.laboratoryId
        return sa.exists().where(there, self._is_of_members(viewer, person))

    @limits("a shared laboratory is for administrators")
    def _unshared_laboratory(self, viewer: Viewer, laboratory: sa.FromClause) -> Condition:
        """A laboratory is changed by members only while every Person in it is theirs alone."""
        person = self._tables["Person"].alias()
        there = person.c.laboratoryId == laboratory.c.laboratoryId
        theirs = sa.and_(self._is_of_members(viewer, person), self._unshared(viewer, person))
        return sa.not_(sa.exists().where(there, sa.not_(theirs)))

    def _is_of_members(self, viewer: Viewer, person: sa.FromClause) -> Condition:
        """A Person that one of the viewer's proposals has as member or lab contact."""
        uses = [self._tables[name].alias() for name in PERSON_USES]
        belongs = [
            sa.exists().where(
                use.c.personId == person.c.personId, self.member(viewer, use.c.proposalId)
            )
            for use in uses
        ]
        return sa.or_(*belongs)

    @limits("rights-bearing columns are not for members")
    def _rights_bearing(self, noun: Bound, viewer: Viewer, row: sa.FromClause) -> Condition:
        """Columns that carry rights are written by staff of the beamline or administrators."""
        return self._staff_writes(viewer, row) if noun.noun.level == Level.SESSION else sa.false()

    @limits("a session stays in its proposal")
    def _stays(self, _noun: Bound, _viewer: Viewer) -> Condition:
        """A column that is fixed at creation is changed by administrators only."""
        return sa.false()

    @limits("two chains lead to one proposal")
    def sound(self, noun: Bound, row: sa.FromClause) -> Condition:
        """A row whose chains lead to two proposals is broken: only read-all sees it."""
        agreed: list[Condition] = []
        ways: list[sa.ColumnElement[Any]] = []
        for column in noun.noun.belongs_to:
            parent_noun = self.catalogue.target(noun.by_column[column])
            parent = parent_noun.table.alias()
            joined = primary_key(parent_noun, parent) == row.c[column]
            if self._can_break(parent_noun):
                whole = sa.exists().where(joined, self.sound(parent_noun, parent))
                agreed.append(sa.or_(row.c[column].is_(None), whole))
            if len(noun.noun.belongs_to) > 1:
                ways.append(self._owner_by(noun, row, column))
        for n, one in enumerate(ways):
            agreed += [
                sa.or_(one.is_(None), other.is_(None), one == other) for other in ways[n + 1 :]
            ]
        return sa.and_(sa.true(), *agreed)

    def _can_break(self, noun: Bound) -> bool:
        """Whether rows of this noun, or of one above it, have more than one chain."""
        above = [self.catalogue.target(noun.by_column[column]) for column in noun.noun.belongs_to]
        return len(above) > 1 or any(self._can_break(parent) for parent in above)

    # The engine's questions.

    def shape(self, viewer: Viewer) -> Hashable:
        """Statements differ by what the viewer may, not by who the viewer is."""
        return (
            viewer.person_id is not None,
            bool(viewer.staff_of),
            viewer.goods,
            viewer.service,
            viewer.permissions,
        )

    def parameters(self, viewer: Viewer) -> Mapping[str, Any]:
        """Everything that conditions are told of the viewer, the site and the moment."""
        now = datetime.now(UTC).astimezone(self._zone).replace(tzinfo=None, microsecond=0)
        window = timedelta(days=self._settings.staff_window_days)
        return {
            "viewer_person": viewer.person_id,
            "beamlines": sorted(viewer.staff_of),
            "closed_codes": sorted(self._settings.closed_proposal_codes),
            "closed_statuses": sorted(self._settings.closed_shipping_statuses),
            "window_start": now - window,
            "window_end": now + window,
        }

    def may(self, viewer: Viewer, permission: Permission) -> bool:
        """Whether the viewer holds a permission, itself or through one for everything."""
        if permission.endswith(":write"):
            return bool(viewer.permissions & {permission, Permission.EVERYTHING_WRITE_ALL})
        return (
            permission in viewer.permissions or Permission.EVERYTHING_READ_ALL in viewer.permissions
        )

    def guards(self, rule: str) -> bool:
        """Whether a rule that is no condition in SQL is in force."""
        return rule not in self.without

    def names(self, noun: Bound, viewer: Viewer, column: str, row: sa.FromClause) -> Condition:
        """The rows that a foreign key of a body may name; `row` is the one it leads to."""
        target = self.catalogue.target(noun.by_column[column])
        seen = self.sees(target, viewer, row)
        if noun.noun.level != Level.CONTACT or self.sees_all(target, viewer):
            return seen
        if target.noun.level != Level.PERSON:
            return seen
        return sa.and_(seen, self._nameable_contact(viewer, row))

    @limits("nobody makes a lab contact of another to read their address")
    def _nameable_contact(self, viewer: Viewer, person: sa.FromClause) -> Condition:
        """A member makes a lab contact of themselves, or of whose address they see already."""
        return sa.or_(self._yourself(viewer, person), self._contact_person(viewer, person))

    def sees_all(self, noun: Bound, viewer: Viewer) -> bool:
        """Whether `…:read-all` lets the viewer see every row, broken ones too."""
        if not self.guards(READ_ALL):
            return False
        people = noun.noun.level in {Level.PERSON, Level.LABORATORY}
        of_kind = Permission.PERSONS_READ_ALL if people else Permission.PROPOSALS_READ_ALL
        return bool(viewer.permissions & {of_kind, Permission.EVERYTHING_READ_ALL})

    def sees(self, noun: Bound, viewer: Viewer, row: sa.FromClause) -> Condition:
        """The rows that exist for the viewer."""
        if not self._may_read(noun, viewer):
            return sa.false()
        if self.sees_all(noun, viewer):
            return sa.true()
        match noun.noun.level:
            case Level.PERSON | Level.LABORATORY | Level.CONTACT:
                return self._sees_people(noun, viewer, row)
            case Level.SESSION:
                return self._sees_session(viewer, row)
            case Level.DATA | Level.PROCESSING:
                seen = self._within(noun, row, lambda session: self._recorded(viewer, session))
                return sa.and_(seen, self.sound(noun, row))
            case Level.PLAN:
                return sa.or_(self._preset(viewer, row), self._planned(viewer, row))
            case Level.BEAMLINE | Level.LOOKUP:
                return self._agreed(viewer)
            case Level.ROOT:
                session = self._tables["BLSession"].alias()
                visited = sa.select(session.c.proposalId).where(self._participant(viewer, session))
                return sa.or_(
                    self._insider(viewer, row.c.proposalId), row.c.proposalId.in_(visited)
                )
            case _:
                return sa.and_(self._along(noun, viewer, row), self.sound(noun, row))

    def _sees_people(self, noun: Bound, viewer: Viewer, row: sa.FromClause) -> Condition:
        match noun.noun.level:
            case Level.PERSON:
                return sa.or_(
                    self._yourself(viewer, row),
                    self._co_member(viewer, row),
                    self._contact_person(viewer, row),
                )
            case Level.LABORATORY:
                return sa.or_(
                    self._own_laboratory(viewer, row), self._contact_laboratory(viewer, row)
                )
            case _:
                return self._contact(viewer, row)

    def _along(self, noun: Bound, viewer: Viewer, row: sa.FromClause) -> Condition:
        inside = self._reaches(noun, row, lambda owner: self._insider(viewer, owner))
        also = [self._of_goods(viewer, row, noun.path)]
        if noun.noun.level == Level.SAMPLE:
            also.append(self._of_used(noun, viewer, row))
        return sa.or_(inside, *also)

    def _insider(self, viewer: Viewer, proposal_id: sa.ColumnElement[int]) -> Condition:
        """Members, and staff within the window."""
        return sa.or_(self.member(viewer, proposal_id), self.staff_proposal(viewer, proposal_id))

    def _of_goods(self, viewer: Viewer, row: sa.FromClause, path: str) -> Condition:
        if path == "shippings":
            return self._goods(viewer, row)
        if path == "dewar-transport-history" and viewer.goods:
            dewar = self._tables["Dewar"].alias()
            handled = sa.select(dewar.c.dewarId).where(self._of_goods(viewer, dewar, "dewars"))
            return row.c.dewarId.in_(handled)
        if path == "dewars" and viewer.goods:
            shipping = self._tables["Shipping"].alias()
            opened = sa.select(shipping.c.shippingId).where(self._goods(viewer, shipping))
            return row.c.shippingId.in_(opened)
        return sa.false()

    def _of_used(self, noun: Bound, viewer: Viewer, row: sa.FromClause) -> Condition:
        """A used sample, the crystal of one, the protein of one."""
        if noun.path == "samples":
            return sa.or_(self._collected(viewer, row), self._loaded(viewer, row))
        below = "samples" if noun.path == "crystals" else "crystals"
        child_noun = self.catalogue[below]
        child = child_noun.table.alias()
        used = sa.select(child.c[noun.key]).where(
            self._of_used(child_noun, viewer, child), self.sound(child_noun, child),
            child.c[noun.key].is_not(None),
        )  # fmt: skip
        return row.c[noun.key].in_(used)

    def _reaches(
        self,
        noun: Bound,
        row: sa.FromClause,
        test: Callable[[sa.ColumnElement[int]], Condition],
    ) -> Condition:
        """Rows whose chain, the first that is set, leads to a proposal that passes the test."""
        ways: list[Condition] = []
        before: list[Condition] = []
        for column in noun.noun.belongs_to:
            reference = noun.by_column[column]
            if reference.target == "proposals":
                way = test(row.c[column])
            else:
                parent_noun = self.catalogue.target(reference)
                parent = parent_noun.table.alias()
                reached = sa.select(primary_key(parent_noun, parent)).where(
                    self._reaches(parent_noun, parent, test)
                )
                way = row.c[column].in_(reached)
            ways.append(sa.and_(*before, way))
            before.append(row.c[column].is_(None))
        return sa.or_(*ways)

    def shows(
        self, noun: Bound, viewer: Viewer, row: sa.FromClause, column: str
    ) -> Condition | None:
        """Where a column of a visible row may be read: a Person's are not for everybody."""
        if noun.noun.level != Level.PERSON or column in NAME_COLUMNS or self.sees_all(noun, viewer):
            return None
        if column in CONTACT_COLUMNS:
            return self._reachable_person(viewer, row)
        return self._whole_person(viewer, row)

    def creates(self, noun: Bound, viewer: Viewer, row: sa.FromClause) -> Condition:
        """The rows that the viewer may make."""
        if self._administers(viewer):
            return sa.true()
        match noun.noun.level:
            case Level.SESSION:
                return self._staff_writes(viewer, row)
            case Level.DATA:
                return self._within(noun, row, lambda session: self._records(viewer, session))
            case Level.BEAMLINE:
                return self._staff_sets_up(viewer, row)
            case Level.PERSON | Level.LABORATORY | Level.ROOT | Level.LOOKUP | Level.PROCESSING:
                return sa.false()
            case _:
                inside = self._reaches(noun, row, lambda owner: self._writes(viewer, owner))
                if noun.path == "dewar-transport-history":
                    return sa.or_(inside, self._goods_writes(viewer, row, noun.path))
                return inside

    def deletes(self, noun: Bound, viewer: Viewer, row: sa.FromClause) -> Condition:
        """The rows that the viewer may delete: those that the viewer could have made."""
        return self.creates(noun, viewer, row)

    def touches(self, noun: Bound, viewer: Viewer, row: sa.FromClause) -> Condition:
        """The rows in which the viewer may change at least one column."""
        if self._administers(viewer):
            return sa.true()
        match noun.noun.level:
            case Level.ROOT:
                return self._writes(viewer, row.c.proposalId)
            case Level.SESSION:
                return sa.or_(
                    self._member_writes(viewer, row.c.proposalId),
                    self._staff_comments(viewer, row),
                )
            case Level.PERSON:
                own = self._writes_yourself(viewer, row)
                contact = self._writes_contact_person(viewer, row)
                return sa.and_(sa.or_(own, contact), self._unshared(viewer, row))
            case Level.LABORATORY:
                mine = self._writes_laboratory(viewer, row)
                return sa.and_(mine, self._unshared_laboratory(viewer, row))
            case Level.PLAN:
                return self._writes_plan(viewer, row)
            case Level.DATA | Level.BEAMLINE | Level.LOOKUP | Level.PROCESSING:
                return self.creates(noun, viewer, row)
            case _:
                inside = self._reaches(noun, row, lambda owner: self._writes(viewer, owner))
                if noun.path == "dewars":
                    return sa.or_(inside, self._goods_writes(viewer, row, noun.path))
                return inside

    def sets(self, noun: Bound, viewer: Viewer, row: sa.FromClause, column: str) -> Condition:
        """The rows in which the viewer may change a column."""
        if self._administers(viewer):
            return sa.true()
        if column in noun.noun.rights:
            touched = self.touches(noun, viewer, row)
            return sa.and_(touched, self._rights_bearing(noun, viewer, row))
        if column in noun.noun.fixed:
            return sa.and_(self.touches(noun, viewer, row), self._stays(noun, viewer))
        if noun.path == "dewars" and column not in GOODS_COLUMNS:
            return self._reaches(noun, row, lambda owner: self._writes(viewer, owner))
        return self.touches(noun, viewer, row)

    def owner(self, noun: Bound, row: sa.FromClause) -> sa.ColumnElement[Any] | None:
        """The proposalId that a row belongs to; null for a row whose chain ends nowhere."""
        if noun.noun.level == Level.ROOT:
            return row.c.proposalId
        if noun.noun.level == Level.PLAN:
            return self._owner_of_plan(row)
        if not noun.noun.belongs_to:
            return None
        ways = [self._owner_by(noun, row, column) for column in noun.noun.belongs_to]
        return ways[0] if len(ways) == 1 else sa.func.coalesce(*ways)

    def _owner_by(self, noun: Bound, row: sa.FromClause, column: str) -> sa.ColumnElement[Any]:
        reference = noun.by_column[column]
        if reference.target == "proposals":
            found: sa.ColumnElement[Any] = row.c[column]
            return found
        parent_noun = self.catalogue.target(reference)
        parent = parent_noun.table.alias()
        owner = self.owner(parent_noun, parent)
        if owner is None:
            raise LookupError(f"{parent_noun.path} has no owner")
        joined = primary_key(parent_noun, parent) == row.c[column]
        return sa.select(owner).where(joined).correlate(row).scalar_subquery()

    def _administers(self, viewer: Viewer) -> bool:
        return self.guards(WRITE_ALL) and Permission.EVERYTHING_WRITE_ALL in viewer.permissions

    def _may_read(self, noun: Bound, viewer: Viewer) -> bool:
        return self.may(viewer, noun.noun.read)


_PERSON: sa.BindParameter[int] = sa.bindparam("viewer_person", type_=sa.Integer)

# Rules that are no condition in SQL: the engine and the viewers ask whether they are in force.
_OTHERS = (
    Rule(READ_ALL, "Whoever holds …:read-all sees every row, broken ones too.", grants=True),
    Rule(WRITE_ALL, "Administrators write every row and every column.", grants=True),
    Rule(SEEN_KEYS, "A foreign key in a body names only what its writer sees.", grants=False),
    Rule(SAME_OWNER, "A foreign key leads to the same proposal, or to none.", grants=False),
    Rule(BOTH_ENDS, "A row after its write must be the writer's too.", grants=False),
    Rule(STILL_NEEDED, "What other rows refer to is not deleted.", grants=False),
    Rule(UNSEEN_INCLUDES, "An include that the viewer may not see is null.", grants=False),
    Rule(SCOPE_NARROWS, "A token that carries a scope gives no right outside it.", grants=False),
)
RULES: tuple[Rule, ...] = (*_RULES.values(), *_OTHERS)
