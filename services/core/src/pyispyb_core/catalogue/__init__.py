"""What exists: every noun of core, declared by area."""

from pyispyb_chassis.nouns.noun import Noun
from pyispyb_core.catalogue import people, proposals, samples, shipping

NOUNS: tuple[Noun, ...] = (*people.NOUNS, *proposals.NOUNS, *shipping.NOUNS, *samples.NOUNS)
