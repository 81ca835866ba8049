"""What only one may have: a name under an acronym, a place in a container or queue, a code."""

import sqlalchemy as sa

from pyispyb_chassis.nouns.distinct import Distinct
from pyispyb_chassis.nouns.policy import Condition
from pyispyb_core.rules.chains import Chains


class DistinctRules(Chains):
    """Conditions on two rows of one table."""

    def distinct(self) -> tuple[Distinct, ...]:
        """What the engine holds writes against; a site may let names be."""
        names = Distinct(
            path="samples",
            fields=("name", "crystalId"),
            alike=self._alike_in_name,
            told="of this proposal has this name under the same acronym",
            above={"crystals": ("proteinId",), "proteins": ("acronym", "proposalId")},
        )
        places = Distinct(
            path="samples",
            fields=("location", "subLocation", "containerId"),
            alike=self._alike_in_place,
            told="is in this place of the container",
        )
        queued = Distinct(
            path="container-queue",
            fields=("containerId", "completedTimeStamp"),
            alike=self._alike_in_queue,
            told="is of the same container, and not completed",
        )
        codes = Distinct(
            path="dewar-registry",
            fields=("facilityCode",),
            alike=lambda row, other: self._word(other.c.facilityCode) == row.c.facilityCode,
            told="has this facility code",
        )
        attached = Distinct(
            path="dewar-registry-proposals",
            fields=("dewarRegistryId", "proposalId"),
            alike=lambda row, other: sa.and_(
                other.c.dewarRegistryId == row.c.dewarRegistryId,
                other.c.proposalId == row.c.proposalId,
            ),
            told="attaches the same dewar to the same proposal",
        )
        others = (places, queued, codes, attached)
        return (names, *others) if self._settings.unique_sample_names else others

    def _alike_in_name(self, row: sa.FromClause, other: sa.FromClause) -> Condition:
        """Files are named by proposal, acronym and sample: these three name one sample.

        A sample without a crystal has no acronym, and is told from others by its container.
        """
        crystal, protein = self._alias("Crystal"), self._alias("Protein")
        beside, called = self._alias("Crystal"), self._alias("Protein")
        same = sa.and_(
            protein.c.proposalId == called.c.proposalId,
            self._word(protein.c.acronym) == called.c.acronym,
        )
        of_row = crystal.join(protein, protein.c.proteinId == crystal.c.proteinId)
        all_of_it = of_row.join(called, same).join(beside, beside.c.proteinId == called.c.proteinId)
        crystals = sa.select(beside.c.crystalId).select_from(all_of_it)
        crystals = crystals.where(crystal.c.crystalId == row.c.crystalId).correlate(row)
        return sa.and_(
            self._word(other.c.name) == self._word(row.c.name),
            other.c.crystalId.in_(crystals),
        )

    def _alike_in_place(self, row: sa.FromClause, other: sa.FromClause) -> Condition:
        """A well of a plate has several drops: subLocation tells them apart."""
        return sa.and_(
            other.c.containerId == row.c.containerId,
            self._word(other.c.location) == self._word(row.c.location),
            other.c.subLocation.is_not_distinct_from(row.c.subLocation),
        )

    def _alike_in_queue(self, row: sa.FromClause, other: sa.FromClause) -> Condition:
        """A container waits once; what is completed waits no more."""
        return sa.and_(
            other.c.containerId == row.c.containerId,
            other.c.completedTimeStamp.is_(None),
            row.c.completedTimeStamp.is_(None),
        )
