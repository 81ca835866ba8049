"""Who sees and changes a person, a laboratory, a lab contact."""

import sqlalchemy as sa

from pyispyb_chassis.nouns.catalogue import Bound
from pyispyb_chassis.nouns.policy import Condition
from pyispyb_core.rules.chains import PERSON
from pyispyb_core.rules.goods import GoodsRules
from pyispyb_core.rules.naming import grants, limits
from pyispyb_core.rules.viewer import Level, Viewer

# The tables by which a proposal has a Person.
PERSON_USES = ("ProposalHasPerson", "Proposal", "LabContact")
NAME_COLUMNS = frozenset({"personId", "givenName", "familyName", "title"})
CONTACT_COLUMNS = frozenset({"emailAddress", "phoneNumber", "faxNumber", "laboratoryId"})


class PeopleRules(GoodsRules):
    """Conditions on rows of Person, Laboratory and LabContact."""

    @grants("you see yourself")
    def _yourself(self, viewer: Viewer, person: sa.FromClause) -> Condition:
        """Everybody sees their own Person, whole."""
        return sa.false() if viewer.person_id is None else person.c.personId == PERSON

    @grants("co-members see one another's names")
    def _co_member(self, viewer: Viewer, person: sa.FromClause) -> Condition:
        """The members of a proposal see id, names and title of its other members."""
        if viewer.person_id is None:
            return sa.false()
        member, proposal = (
            self._alias("ProposalHasPerson"),
            self._alias("Proposal"),
        )
        listed = sa.select(member.c.personId).where(self.member(viewer, member.c.proposalId))
        named = sa.select(proposal.c.personId).where(self.member(viewer, proposal.c.proposalId))
        return sa.or_(person.c.personId.in_(listed), person.c.personId.in_(named))

    @grants("whoever sees a lab contact sees how to reach them")
    def _contact_person(self, viewer: Viewer, person: sa.FromClause) -> Condition:
        """A lab contact's Person is seen, names and addresses, by whoever sees the lab contact."""
        contact = self._alias("LabContact")
        seen = sa.select(contact.c.personId).where(self._contact(viewer, contact))
        return person.c.personId.in_(seen)

    def _contact(self, viewer: Viewer, contact: sa.FromClause) -> Condition:
        shipping = self._alias("Shipping")
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
        person = self._alias("Person")
        mine = sa.select(person.c.laboratoryId).where(person.c.personId == PERSON)
        return laboratory.c.laboratoryId.in_(mine)

    @grants("whoever sees a lab contact sees its laboratory")
    def _contact_laboratory(self, viewer: Viewer, laboratory: sa.FromClause) -> Condition:
        """The laboratory of a lab contact is seen by whoever sees the lab contact."""
        person = self._alias("Person")
        seen = sa.select(person.c.laboratoryId).where(self._contact_person(viewer, person))
        return laboratory.c.laboratoryId.in_(seen)

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

    @grants("you write yourself")
    def _writes_yourself(self, viewer: Viewer, person: sa.FromClause) -> Condition:
        """Everybody changes the plain columns of their own Person."""
        return sa.false() if viewer.person_id is None else person.c.personId == PERSON

    @grants("members write their lab contacts' persons")
    def _writes_contact_person(self, viewer: Viewer, person: sa.FromClause) -> Condition:
        """A lab contact's Person without a login is changed by the proposal's members."""
        contact = self._alias("LabContact")
        mine = sa.select(contact.c.personId).where(self.member(viewer, contact.c.proposalId))
        return sa.and_(person.c.login.is_(None), person.c.personId.in_(mine))

    @limits("a shared person is for administrators")
    def _unshared(self, viewer: Viewer, person: sa.FromClause) -> Condition:
        """A Person that another proposal also uses is changed by administrators only."""
        uses = []
        for table in PERSON_USES:
            use = self._alias(table)
            others = sa.not_(self.member(viewer, use.c.proposalId))
            uses.append(sa.exists().where(use.c.personId == person.c.personId, others))
        return sa.not_(sa.or_(*uses))

    @grants("members write the laboratories of their people")
    def _writes_laboratory(self, viewer: Viewer, laboratory: sa.FromClause) -> Condition:
        """A laboratory is changed by the members of a proposal whose people it has."""
        person = self._alias("Person")
        there = person.c.laboratoryId == laboratory.c.laboratoryId
        return sa.exists().where(there, self._is_of_members(viewer, person))

    @limits("a shared laboratory is for administrators")
    def _unshared_laboratory(self, viewer: Viewer, laboratory: sa.FromClause) -> Condition:
        """A laboratory is changed by members only while every Person in it is theirs alone."""
        person = self._alias("Person")
        there = person.c.laboratoryId == laboratory.c.laboratoryId
        theirs = sa.and_(self._is_of_members(viewer, person), self._unshared(viewer, person))
        return sa.not_(sa.exists().where(there, sa.not_(theirs)))

    def _is_of_members(self, viewer: Viewer, person: sa.FromClause) -> Condition:
        """A Person that one of the viewer's proposals has as member or lab contact."""
        uses = [self._alias(name) for name in PERSON_USES]
        belongs = [
            sa.exists().where(
                use.c.personId == person.c.personId, self.member(viewer, use.c.proposalId)
            )
            for use in uses
        ]
        return sa.or_(*belongs)

    @grants("a lab contact brings its person")
    def _brought(self, noun: Bound, _viewer: Viewer, _row: sa.FromClause) -> Condition:
        """Who makes a lab contact makes a new Person for it, and a new Laboratory for that one."""
        return sa.literal(noun.noun.level in {Level.CONTACT, Level.PERSON})

    @limits("nobody makes a lab contact of another to read their address")
    def _nameable_contact(self, viewer: Viewer, person: sa.FromClause) -> Condition:
        """A member makes a lab contact of themselves, or of whose address they see already."""
        return sa.or_(self._yourself(viewer, person), self._contact_person(viewer, person))
