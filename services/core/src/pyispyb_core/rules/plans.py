"""Plans of measurements, the setups of beamlines, and what a site has agreed on."""

from typing import Any

import sqlalchemy as sa

from pyispyb_chassis.nouns.policy import Condition
from pyispyb_core.rules.named import NamedRules
from pyispyb_core.rules.naming import grants, limits
from pyispyb_core.rules.viewer import Viewer

# The nouns whose rows name a diffraction plan; the first decides whose it is.
PLANNED = ("samples", "crystals")
PLANNED_WITH = "a plan is seen with what it is for"


class PlanRules(NamedRules):
    """Conditions on diffraction plans, on beamline setups, on lookups."""

    @grants(PLANNED_WITH)
    def _planned(self, viewer: Viewer, plan: sa.FromClause) -> Condition:
        """Whoever sees a sample or a crystal sees the diffraction plan that it names."""
        ways = []
        for path in PLANNED:
            noun = self.catalogue[path]
            named = self._alias(noun.noun.table)
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
            named = self._alias(noun.noun.table)
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
            named = self._alias(noun.noun.table)
            mine = self._reaches(noun, named, lambda one: self._writes(viewer, one))
            joined = named.c.diffractionPlanId == plan.c.diffractionPlanId
            foreign.append(sa.exists().where(joined, sa.not_(mine)))
        return sa.and_(self._writes(viewer, owner), self._unshared_plan(foreign))

    @limits("a shared plan is for administrators")
    def _unshared_plan(self, foreign: list[Condition]) -> Condition:
        """A plan that another proposal's sample also names is changed by administrators only."""
        return sa.not_(sa.or_(*foreign))

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
