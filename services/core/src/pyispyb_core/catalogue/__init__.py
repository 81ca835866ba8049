"""What exists: every noun of core, declared by area."""

from pyispyb_chassis.nouns.noun import Noun
from pyispyb_core.catalogue import (
    beamlines,
    collections,
    microscopy,
    people,
    processing,
    proposals,
    samples,
    shipping,
)

NOUNS: tuple[Noun, ...] = (
    *people.NOUNS,
    *proposals.NOUNS,
    *shipping.NOUNS,
    *samples.NOUNS,
    *beamlines.NOUNS,
    *collections.NOUNS,
    *processing.NOUNS,
    *microscopy.NOUNS,
)
