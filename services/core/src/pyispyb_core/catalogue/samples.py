"""What is measured: proteins, the crystals of them, the samples that hold those."""

from pyispyb_chassis.nouns.noun import Noun
from pyispyb_chassis.permissions import Permission
from pyispyb_core.catalogue.shipping import NAME_IN_PATHS
from pyispyb_core.rules import Level

proteins = Noun(
    table="Protein",
    path="proteins",
    area="samples",
    doc="A protein or other compound that a proposal studies",
    level=Level.SAMPLE,
    belongs_to=("proposalId",),
    read=Permission.PROTEINS_READ,
    write=Permission.PROTEINS_WRITE,
    writable=(
        "proposalId", "name", "acronym", "description", "safetyLevel", "hazardGroup",
        "containmentLevel", "molecularMass", "proteinType", "sequence", "density", "abundance",
        "isotropy",
    ),
    rights=("externalId", "global"),
    required=("acronym",),
    includes=("Proposal",),
    search=("acronym", "name"),
    sort="acronym",
    stamps={"bltimeStamp": "write"},
    units={"molecularMass": "Da", "density": "g/cm³"},
    patterns={"acronym": NAME_IN_PATHS},
)  # fmt: skip

crystals = Noun(
    table="Crystal",
    path="crystals",
    area="samples",
    doc="A crystal form of a protein",
    level=Level.SAMPLE,
    belongs_to=("proteinId",),
    read=Permission.CRYSTALS_READ,
    write=Permission.CRYSTALS_WRITE,
    writable=(
        "proteinId", "name", "spaceGroup", "morphology", "color", "size_X", "size_Y", "size_Z",
        "cell_a", "cell_b", "cell_c", "cell_alpha", "cell_beta", "cell_gamma", "comments",
        "abundance", "theoreticalDensity",
    ),
    includes=("Protein",),
    search=("name", "spaceGroup"),
    sort="-crystalId",
    stamps={"recordTimeStamp": "create"},
    units={
        "size_X": "mm", "size_Y": "mm", "size_Z": "mm",
        "cell_a": "Å", "cell_b": "Å", "cell_c": "Å",
        "cell_alpha": "°", "cell_beta": "°", "cell_gamma": "°",
        "theoreticalDensity": "g/cm³",
    },
)  # fmt: skip

samples = Noun(
    table="BLSample",
    path="samples",
    area="samples",
    doc="A sample: a mounted crystal, or what a place of a container holds",
    level=Level.SAMPLE,
    belongs_to=("crystalId", "containerId"),
    read=Permission.SAMPLES_READ,
    write=Permission.SAMPLES_WRITE,
    writable=(
        "crystalId", "containerId", "name", "code", "location", "subLocation", "holderLength",
        "loopLength", "loopType", "wireWidth", "comments", "completionStage", "structureStage",
        "publicationStage", "publicationComments", "blSampleStatus", "isInSampleChanger",
        "lastKnownCenteringPosition", "SMILES", "volume", "dimension1", "dimension2", "dimension3",
        "shape", "packingFraction", "support",
    ),
    rights=("staffComments",),
    required=("name",),
    includes=("Crystal", "Container"),
    search=("name", "code"),
    sort="-blSampleId",
    stamps={"recordTimeStamp": "create"},
    units={"holderLength": "mm", "loopLength": "mm", "wireWidth": "mm", "volume": "pL"},
    patterns={"name": NAME_IN_PATHS},
)  # fmt: skip

NOUNS = (proteins, crystals, samples)
