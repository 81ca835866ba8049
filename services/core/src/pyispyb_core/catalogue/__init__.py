"""What exists: every noun of core, declared by area."""

from dataclasses import replace

from pyispyb_chassis.nouns.noun import Noun
from pyispyb_core.catalogue import (
    autoprocessing,
    beamlines,
    collections,
    components,
    groups,
    imaging,
    lookups,
    microscopy,
    people,
    phasing,
    processing,
    proposals,
    registry,
    samples,
    screens,
    shipping,
    teams,
    workflows,
)
from pyispyb_core.settings import NAME_IN_PATHS

NOUNS: tuple[Noun, ...] = (
    *people.NOUNS,
    *proposals.NOUNS,
    *teams.NOUNS,
    *shipping.NOUNS,
    *registry.NOUNS,
    *samples.NOUNS,
    *components.NOUNS,
    *screens.NOUNS,
    *imaging.NOUNS,
    *beamlines.NOUNS,
    *lookups.NOUNS,
    *collections.NOUNS,
    *workflows.NOUNS,
    *processing.NOUNS,
    *autoprocessing.NOUNS,
    *phasing.NOUNS,
    *microscopy.NOUNS,
    *groups.NOUNS,
)


def nouns_of(name_pattern: str) -> tuple[Noun, ...]:
    """The nouns of a site, which may call its samples differently."""

    def renamed(noun: Noun) -> Noun:
        patterns = {
            name: name_pattern if pattern == NAME_IN_PATHS else pattern
            for name, pattern in noun.patterns.items()
        }
        return replace(noun, patterns=patterns)

    return NOUNS if name_pattern == NAME_IN_PATHS else tuple(renamed(noun) for noun in NOUNS)
