"""What is measured: proteins, the crystals of them, the samples that hold those."""

from pyispyb_chassis.nouns.noun import KEPT, Noun, Sought
from pyispyb_chassis.permissions import Permission
from pyispyb_core.rules import Level
from pyispyb_core.settings import NAME_IN_PATHS

# Below the session's folder: no part of it is empty, hidden or climbs.
RELATIVE_PATH = r"[A-Za-z0-9_-][A-Za-z0-9_.-]*(/[A-Za-z0-9_-][A-Za-z0-9_.-]*)*"

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
        "isotropy", "concentrationTypeId",
    ),
    rights=("externalId", "global"),
    required=("acronym",),
    includes=("Proposal", "Crystal", "ConcentrationType"),
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
        "proteinId", "diffractionPlanId", "name", "spaceGroup", "morphology", "color", "size_X",
        "size_Y", "size_Z",
        "cell_a", "cell_b", "cell_c", "cell_alpha", "cell_beta", "cell_gamma", "comments",
        "abundance", "theoreticalDensity",
    ),
    includes=("Protein", "DiffractionPlan", "BLSample"),
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
        "crystalId", "containerId", "diffractionPlanId", "name", "code", "location", "subLocation",
        "holderLength",
        "loopLength", "loopType", "wireWidth", "comments", "completionStage", "structureStage",
        "publicationStage", "publicationComments", "blSampleStatus", "isInSampleChanger",
        "lastKnownCenteringPosition", "SMILES", "volume", "dimension1", "dimension2", "dimension3",
        "shape", "packingFraction", "support", "screenComponentGroupId",
    ),
    rights=("staffComments",),
    required=("name",),
    includes=(
        "Crystal", "Container", "DiffractionPlan", "BLSubSample", "DataCollectionGroup",
        "ScreenComponentGroup",
    ),
    sought={
        "proposal": Sought(
            "its proposal, as MX1001",
            (
                ("crystalId", "proteinId", "proposalId", "proposal"),
                ("containerId", "dewarId", "shippingId", "proposalId", "proposal"),
                ("containerId", "sessionId", "proposal"),
            ),
        ),
        "acronym": Sought("its protein's acronym", (("crystalId", "proteinId", "acronym"),)),
        "beamLineName": Sought(
            "the beamline at which its container is, or for whose session it is",
            (("containerId", "beamlineLocation"), ("containerId", "sessionId", "beamLineName")),
        ),
    },
    search=("name", "code"),
    sort="-blSampleId",
    stamps={"recordTimeStamp": "create"},
    units={"holderLength": "mm", "loopLength": "mm", "wireWidth": "mm", "volume": "pL"},
    patterns={"name": NAME_IN_PATHS},
)  # fmt: skip

sub_samples = Noun(
    table="BLSubSample",
    path="sub-samples",
    area="samples",
    doc="A place on a sample where something is measured",
    level=Level.PROPOSAL,
    belongs_to=("blSampleId",),
    read=Permission.SUB_SAMPLES_READ,
    write=Permission.SUB_SAMPLES_WRITE,
    writable=(
        "blSampleId", "diffractionPlanId", "blSampleImageId", "imgFileName", "imgFilePath",
        "comments", "type", "positionId", "position2Id",
    ),
    includes=("BLSample", "DiffractionPlan", "BLSampleImage"),
    search=("comments",),
    sort="-blSubSampleId",
    stamps={"recordTimeStamp": "create"},
)  # fmt: skip

sample_images = Noun(
    table="BLSampleImage",
    path="sample-images",
    area="samples",
    doc="A picture of a sample",
    level=Level.PROPOSAL,
    belongs_to=("blSampleId",),
    read=Permission.SAMPLE_IMAGES_READ,
    write=Permission.SAMPLE_IMAGES_WRITE,
    writable=(
        "blSampleId", "offsetX", "offsetY", "micronsPerPixelX", "micronsPerPixelY",
        "imageFullPath", "comments",
    ),
    includes=("BLSample",),
    search=("comments", "imageFullPath"),
    sort="-blSampleImageId",
    stamps={"blTimeStamp": "create", "modifiedTimeStamp": "write"},
    units={"micronsPerPixelX": "µm", "micronsPerPixelY": "µm"},
)  # fmt: skip

sample_groups = Noun(
    table="BLSampleGroup",
    path="sample-groups",
    area="samples",
    doc="Samples of a proposal under one name",
    level=Level.PROPOSAL,
    belongs_to=("proposalId",),
    read=Permission.SAMPLE_GROUPS_READ,
    write=Permission.SAMPLE_GROUPS_WRITE,
    writable=("proposalId", "name"),
    required=("name",),
    includes=("Proposal", "BLSampleGroup_has_BLSample"),
    search=("name",),
    sort="name",
    owns=("BLSampleGroup_has_BLSample",),
    patterns={"name": NAME_IN_PATHS},
)

sample_group_members = Noun(
    table="BLSampleGroup_has_BLSample",
    path="sample-group-members",
    area="samples",
    doc="A sample as a member of a group, with its place and its part in it",
    level=Level.PROPOSAL,
    within="blSampleGroupId",
    segment="samples",
    key="blSampleId",
    belongs_to=("blSampleGroupId",),
    read=Permission.SAMPLE_GROUPS_READ,
    write=Permission.SAMPLE_GROUPS_WRITE,
    writable=("blSampleGroupId", "blSampleId", "groupOrder", "type"),
    includes=("BLSample", "BLSampleGroup"),
    sort="groupOrder",
)

ligands = Noun(
    table="Ligand",
    path="ligands",
    area="samples",
    doc="A small molecule that a proposal soaks or co-crystallises",
    level=Level.PROPOSAL,
    belongs_to=("proposalId",),
    read=Permission.LIGANDS_READ,
    write=Permission.LIGANDS_WRITE,
    writable=(
        "proposalId", "name", "SMILES", "libraryName", "libraryBatchNumber", "plateBarcode",
        "sourceWell",
    ),
    includes=("Proposal", "Ligand_has_PDB", "BLSample_has_Ligand"),
    search=("name", "SMILES"),
    sort="name",
)  # fmt: skip

diffraction_plans = Noun(
    table="DiffractionPlan",
    path="diffraction-plans",
    area="samples",
    doc="What is to be measured on a sample, and how",
    level=Level.PLAN,
    belongs_to=("presetForProposalId",),
    read=Permission.DIFFRACTION_PLANS_READ,
    write=Permission.DIFFRACTION_PLANS_WRITE,
    actions=KEPT,
    writable=(
        "presetForProposalId", "name", "experimentKind", "observedResolution",
        "minimalResolution", "exposureTime", "oscillationRange", "maximalResolution",
        "screeningResolution", "radiationSensitivity", "anomalousScatterer", "preferredBeamSizeX",
        "preferredBeamSizeY", "preferredBeamDiameter", "comments", "aimedCompleteness",
        "aimedIOverSigmaAtHighestRes", "aimedMultiplicity", "aimedResolution", "anomalousData",
        "complexity", "estimateRadiationDamage", "forcedSpaceGroup", "requiredCompleteness",
        "requiredMultiplicity", "requiredResolution", "strategyOption", "kappaStrategyOption",
        "numberOfPositions", "minDimAccrossSpindleAxis", "maxDimAccrossSpindleAxis",
        "radiationSensitivityBeta", "radiationSensitivityGamma", "minOscWidth", "monochromator",
        "energy", "transmission", "boxSizeX", "boxSizeY", "kappaStart", "axisStart", "axisRange",
        "numberOfImages", "beamLineName", "detectorId", "distance", "orientation",
        "monoBandwidth", "centringMethod", "userPath", "robotPlateTemperature",
        "exposureTemperature", "experimentTypeId", "collectionMode", "priority", "qMin", "qMax",
        "reductionParametersAveraging", "scanParameters", "purificationColumnId",
    ),
    fixed=("presetForProposalId",),
    required=("presetForProposalId",),
    includes=("Proposal", "Detector", "ExperimentType", "PurificationColumn"),
    search=("name", "comments"),
    sort="-diffractionPlanId",
    stamps={"recordTimeStamp": "create"},
    units={
        "observedResolution": "Å", "minimalResolution": "Å", "maximalResolution": "Å",
        "screeningResolution": "Å", "aimedResolution": "Å", "requiredResolution": "Å",
        "exposureTime": "s", "oscillationRange": "°", "energy": "eV", "transmission": "%",
        "kappaStart": "°", "axisStart": "°", "axisRange": "°", "distance": "mm",
    },
    patterns={"userPath": RELATIVE_PATH},
)  # fmt: skip

NOUNS = (
    proteins,
    crystals,
    samples,
    sub_samples,
    sample_images,
    sample_groups,
    sample_group_members,
    ligands,
    diffraction_plans,
)
