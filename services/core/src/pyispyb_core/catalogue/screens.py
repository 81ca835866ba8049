"""What crystals are grown in: the screens of a proposal, and what each of their wells holds."""

from pyispyb_chassis.nouns.noun import Noun
from pyispyb_chassis.permissions import Permission
from pyispyb_core.rules import Level

screens = Noun(
    table="Screen",
    path="screens",
    area="samples",
    doc="A set of crystallisation conditions, to be laid out in the wells of a plate",
    level=Level.PROPOSAL,
    belongs_to=("proposalId",),
    read=Permission.SCREENS_READ,
    write=Permission.SCREENS_WRITE,
    writable=("proposalId", "name", "containerTypeId"),
    rights=("global",),
    required=("name",),
    includes=("Proposal", "ContainerType", "ScreenComponentGroup"),
    search=("name",),
    sort="-screenId",
)

screen_component_groups = Noun(
    table="ScreenComponentGroup",
    path="screen-component-groups",
    area="samples",
    doc="One condition of a screen: what the well at this position is filled with",
    level=Level.PROPOSAL,
    belongs_to=("screenId",),
    read=Permission.SCREEN_COMPONENT_GROUPS_READ,
    write=Permission.SCREEN_COMPONENT_GROUPS_WRITE,
    writable=("screenId", "position"),
    includes=("Screen", "ScreenComponent"),
    sort="-screenComponentGroupId",
)

screen_components = Noun(
    table="ScreenComponent",
    path="screen-components",
    area="samples",
    doc="How much of a component a condition of a screen holds",
    level=Level.PROPOSAL,
    belongs_to=("screenComponentGroupId",),
    read=Permission.SCREEN_COMPONENTS_READ,
    write=Permission.SCREEN_COMPONENTS_WRITE,
    writable=("screenComponentGroupId", "componentId", "concentration", "pH"),
    includes=("ScreenComponentGroup", "Protein"),
    sort="-screenComponentId",
)

NOUNS = (screens, screen_component_groups, screen_components)
