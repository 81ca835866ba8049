"""Each rule is held by a case of the matrix that turns red when the rule is taken out."""

from itertools import chain

import pytest
from tests.core.matrix.reading import reads
from tests.core.matrix.stage import Stage
from tests.core.matrix.within import reads as reads_within
from tests.core.matrix.within import writes as writes_within
from tests.core.matrix.writing import writes

from pyispyb_core.rules import RULES, Rule

EVERY = chain(reads(), writes(), reads_within(), writes_within())
CASES = {(case.group, case.what): case for case in EVERY}

# rule: the person and part of the table, the case; the matrix itself shows that it is green
# while the rule is there.
HOLDS = {
    "members see their proposal": ("coinv proposals", "item MX1001"),
    "the proposal's person is a member": ("alice proposals", "item MX1003"),
    "the staff window": ("carol proposals", "item MX1003"),
    "participants see their session": ("bob sessions", "item MX1001/past session"),
    "staff see the sessions of their beamlines": ("carol sessions", "item MX1003/old session"),
    "a local contact is staff for that session": ("local sessions", "item MX1002/session"),
    "the operator is a local contact where a site says so": (
        "local sessions",
        "item MX1003/far session",
    ),
    "codes closed to staff": ("carol sessions", "item IN2001/session"),
    "participants see samples of their collections": (
        "bob samples",
        "item MX1001/collected sample",
    ),
    "participants see samples that the robot loaded": ("bob samples", "item MX1001/mounted sample"),
    "a used sample is of the session's proposal": ("bob samples", "item MX1003/sample"),
    "goods handling sees open shipments": ("dave shippings", "item MX1001/shipment"),
    "closed shipments are not goods any more": ("dave shippings", "item MX1002/closed shipment"),
    "you see yourself": ("oscar persons", "item oscar"),
    "co-members see one another's names": ("alice persons", "item investigator"),
    "whoever sees a lab contact sees how to reach them": ("bob persons", "item stores"),
    "other columns of a person are hidden": ("carol persons", "shows columns"),
    "addresses are for those who see the lab contact": ("alice persons", "shows columns"),
    "you see your own laboratory": ("bob laboratories", "item Hillside University"),
    "whoever sees a lab contact sees its laboratory": (
        "dave laboratories",
        "item Riverside Institute",
    ),
    "members write in their proposal": (
        "alice shippings and dewars",
        "patch MX1001/shipment: comments",
    ),
    "service accounts write where their beamlines are": (
        "mxcube samples, crystals, proteins",
        "patch MX1001/sample 20: comments",
    ),
    "staff write the sessions of their beamlines": (
        "carol sessions",
        "patch MX1001/running session: startDate",
    ),
    "staff set dates only where they see the proposal": (
        "carol sessions",
        "patch MX1003/old session: beamLineOperator",
    ),
    "staff comment their sessions": ("local sessions", "patch MX1002/session: comments"),
    "nobody makes a lab contact of another to read their address": (
        "alice writes",
        "create labcontacts: proposalId=@MX1001, cardName=card, personId=@investigator",
    ),
    "read-all sees every row": ("seeall proposals", "item MX1002"),
    "administrators write every row": ("erin proposals", "create proposals"),
    "a lab contact brings its person": (
        "alice writes",
        "create labcontacts: proposalId=@MX1001, cardName=card, Person={'familyName': 'New'}",
    ),
    "a move needs the right on both ends": (
        "bob writes",
        "patch MX1002/UNUSED: proposalId=@MX1001",
    ),
    "what others refer to stays": (
        "alice samples, crystals, proteins",
        "delete MX1001/collected sample",
    ),
    "an include follows the rules of its noun": ("carol sessions", "include Proposal"),
    "goods handling follows dewars": (
        "dave shippings and dewars",
        "patch MX1001/dewar 1: dewarStatus",
    ),
    "you write yourself": ("oscar persons and laboratories", "patch oscar: phoneNumber"),
    "members write their lab contacts' persons": (
        "alice persons and laboratories",
        "patch contact person: phoneNumber",
    ),
    "a shared person is for administrators": (
        "alice persons and laboratories",
        "patch shared contact person: phoneNumber",
    ),
    "members write the laboratories of their people": (
        "alice persons and laboratories",
        "patch Quayside Works: city",
    ),
    "a shared laboratory is for administrators": (
        "alice persons and laboratories",
        "patch Riverside Institute: city",
    ),
    "rights-bearing columns are not for members": (
        "alice sessions",
        "patch MX1001/running session: startDate",
    ),
    "a session stays in its proposal": (
        "alice writes",
        "patch MX1001/running session: proposalId=@MX1003",
    ),
    "two chains lead to one proposal": ("alice samples", "item broken sample"),
    "a foreign key must be visible": (
        "alice writes",
        "create labcontacts: proposalId=@MX1001, cardName=card, personId=@bob",
    ),
    "a foreign key stays within the proposal": (
        "alice writes",
        "patch MX1001/shipment: returnLabContactId=@MX1003/contact",
    ),
    "data are seen with their session": (
        "bob datacollections",
        "item MX1001/past session/collection",
    ),
    "what is named is seen with what names it": (
        "alice autoproc-programs",
        "item integrated program",
    ),
    "a row that nothing names is its maker's": ("alice what names lend", "create structures"),
    "who writes somewhere begins what will be named there": (
        "alice what names lend",
        "create structures",
    ),
    "what others name too is for administrators": (
        "alice what names lend",
        "patch shared structure: name",
    ),
    "a plan is seen with what it is for": ("bob diffraction-plans", "item MX1001/sample plan"),
    "a plan of a proposal is seen in it": ("alice diffraction-plans", "item MX1001/plan"),
    "a shared plan is for administrators": (
        "alice plans and places",
        "patch shared plan: comments",
    ),
    "everybody reads what a site has agreed on": ("oscar detectors", "item detector"),
    "staff record the setups of their beamlines": (
        "carol beamlines and words",
        "create beamline-setups on BL1",
    ),
    "members record in their sessions": (
        "alice collections",
        "create datacollection-groups: MX1001/running session",
    ),
    "participants record in their session": (
        "bob collections",
        "create datacollection-groups: MX1001/past session",
    ),
    "staff record in the sessions of their beamlines": (
        "carol collections",
        "create datacollection-groups: MX1001/running session",
    ),
    "the principal investigator makes the team": (
        "alice teams",
        "change proposal-members MX1001 > investigator: role=Associate",
    ),
    "staff name the staff of their sessions": (
        "carol teams",
        "add session-people MX1001/running session > carol: role=Local Contact",
    ),
    "a token's scope narrows its bearer": ("narrow shippings", "list"),
}


@pytest.mark.parametrize("stage", ["sqlite"], indirect=True)
@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)
def test_the_matrix_turns_red_without_the_rule(stage: Stage, rule: Rule) -> None:
    assert rule.name in HOLDS, f"no case of the matrix is named that holds {rule.name!r}"
    case = CASES[HOLDS[rule.name]]
    assert case.check(stage) is None
    with stage.without(rule.name) as lawless:
        assert case.check(lawless), f"the matrix is green without {rule.name!r}"


def test_every_named_rule_is_there() -> None:
    assert HOLDS.keys() <= {rule.name for rule in RULES}
