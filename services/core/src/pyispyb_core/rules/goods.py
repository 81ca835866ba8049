"""Goods handling: open shipments, what is in them, and where it is."""

import sqlalchemy as sa

from pyispyb_chassis.nouns.catalogue import Bound
from pyispyb_chassis.nouns.policy import Condition
from pyispyb_core.rules.naming import grants, limits
from pyispyb_core.rules.teams import TeamRules
from pyispyb_core.rules.viewer import Level, Viewer


class GoodsRules(TeamRules):
    """Conditions on shipments, dewars and their history; and all that comes along a chain."""

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

    def _of_goods(self, viewer: Viewer, row: sa.FromClause, path: str) -> Condition:
        if path == "shippings":
            return self._goods(viewer, row)
        if path == "dewar-transport-history" and viewer.goods:
            dewar = self._alias("Dewar")
            handled = sa.select(dewar.c.dewarId).where(self._of_goods(viewer, dewar, "dewars"))
            return row.c.dewarId.in_(handled)
        if path == "dewars" and viewer.goods:
            shipping = self._alias("Shipping")
            opened = sa.select(shipping.c.shippingId).where(self._goods(viewer, shipping))
            return row.c.shippingId.in_(opened)
        if path == "dewar-registry" and viewer.goods:
            dewar = self._alias("Dewar")
            handled = sa.select(dewar.c.dewarRegistryId).where(
                self._of_goods(viewer, dewar, "dewars"), dewar.c.dewarRegistryId.is_not(None)
            )
            return row.c.dewarRegistryId.in_(handled)
        return sa.false()

    def _in_groups(self, _noun: Bound, _viewer: Viewer, _row: sa.FromClause) -> Condition:
        """The samples, crystals and what hangs on them that a member is not kept from: all.

        Here members of a proposal that many laboratories share (a block allocation group, BAG) will
        be limited to the sample groups they are in: docs/decisions, 18.
        """
        return sa.true()

    def _along(self, noun: Bound, viewer: Viewer, row: sa.FromClause) -> Condition:
        inside = self._reaches(noun, row, lambda owner: self._insider(viewer, owner))
        if noun.noun.level == Level.SAMPLE:
            inside = sa.and_(inside, self._in_groups(noun, viewer, row))
        also = [self._of_goods(viewer, row, noun.path)]
        if noun.noun.level == Level.SAMPLE:
            also.append(self._of_used(noun, viewer, row))
        return sa.or_(inside, *also)

    @grants("goods handling follows dewars")
    def _goods_writes(self, viewer: Viewer, row: sa.FromClause, path: str) -> Condition:
        """Goods handling writes status, place, tracking and history of dewars in open shipments."""
        return self._of_goods(viewer, row, path)
