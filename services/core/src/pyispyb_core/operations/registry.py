"""What a registered dewar did last, and which are nobody's any more."""

from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from pyispyb_chassis.nouns.catalogue import Catalogue, primary_key
from pyispyb_chassis.nouns.query import Query
from pyispyb_chassis.nouns.reading import Reader
from pyispyb_core.rules import Rules, Viewer

MOST_ORPHANS = 1000


class DewarRegistry:
    """Reads about registered dewars under the rules of the nouns that tell it."""

    def __init__(self, catalogue: Catalogue, reader: Reader[Viewer], rules: Rules) -> None:
        self._catalogue = catalogue
        self._reader = reader
        self._rules = rules

    def last_use(self, connection: Connection, key: str, viewer: Viewer) -> dict[str, Any]:
        """The latest dewar of a shipment that was this one; nulls where the viewer sees none.

        Sites that name no registered dewar in a shipment's dewar write its facility code there.
        """
        noun = self._catalogue["dewar-registry"]
        fields = (noun.key, "facilityCode")
        only = Query(fields=(((), fields),), total=False)
        registered = self._reader.item(connection, noun, key, viewer, only)
        dewars, shippings = self._catalogue["dewars"], self._catalogue["shippings"]
        dewar, shipping = dewars.alias(), shippings.alias()
        joined = dewar.join(shipping, primary_key(shippings, shipping) == dewar.c.shippingId)
        this_one = sa.or_(
            dewar.c.dewarRegistryId == registered[noun.key],
            dewar.c.facilityCode == registered["facilityCode"],
        )
        told = {
            "dewarId": dewar.c.dewarId, "dewarStatus": dewar.c.dewarStatus,
            "shippingId": shipping.c.shippingId, "shippingName": shipping.c.shippingName,
            "proposalId": shipping.c.proposalId, "creationDate": shipping.c.creationDate,
        }  # fmt: skip
        latest = (
            sa.select(*told.values())
            .select_from(joined)
            .where(this_one, self._rules.sees(dewars, viewer, dewar))
            .where(self._rules.sees(shippings, viewer, shipping))
            .order_by(shipping.c.creationDate.desc(), dewar.c.dewarId.desc())
            .limit(1)
        )
        found = connection.execute(latest, self._rules.parameters(viewer)).first()
        use = dict(zip(told, found or [None] * len(told), strict=True))
        show = shippings.fields["creationDate"].show
        if show is not None and use["creationDate"] is not None:
            use["creationDate"] = show(use["creationDate"])
        return {**registered, **use}

    def orphans(self, connection: Connection, viewer: Viewer) -> dict[str, Any]:
        """The registered dewars that no proposal has, as far as the viewer sees them."""
        noun = self._catalogue["dewar-registry"]
        link = self._catalogue["dewar-registry-proposals"].alias()
        row = noun.alias()
        nobodys = sa.select(primary_key(noun, row), row.c.facilityCode).where(
            row.c.proposalId.is_(None),
            ~sa.exists().where(
                link.c.dewarRegistryId == primary_key(noun, row), link.c.proposalId.is_not(None)
            ),
            self._rules.sees(noun, viewer, row),
        )
        counted = sa.select(sa.func.count()).select_from(nobodys.subquery())
        values = self._rules.parameters(viewer)
        total = connection.execute(counted, values).scalar_one()
        page = nobodys.order_by(row.c.facilityCode).limit(MOST_ORPHANS)
        found = connection.execute(page, values)
        rows = [{noun.key: key, "facilityCode": code} for key, code in found]
        return {"total": total, "results": rows, "limit": MOST_ORPHANS, "skip": 0, "next": None}
