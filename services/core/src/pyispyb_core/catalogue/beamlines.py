"""What stands at a beamline, and the words that a site has agreed on."""

from pyispyb_chassis.nouns.noun import KEPT, Noun
from pyispyb_chassis.permissions import Permission
from pyispyb_core.rules import Level

beamline_setups = Noun(
    table="BeamLineSetup",
    path="beamline-setups",
    area="beamlines",
    doc="How a beamline was set up: source, optics, limits",
    level=Level.BEAMLINE,
    read=Permission.BEAMLINE_SETUPS_READ,
    write=Permission.BEAMLINE_SETUPS_WRITE,
    actions=KEPT,
    writable=(
        "beamlineName", "detectorId", "synchrotronMode", "undulatorType1", "undulatorType2",
        "undulatorType3", "focalSpotSizeAtSample", "focusingOptic", "beamDivergenceHorizontal",
        "beamDivergenceVertical", "polarisation", "monochromatorType", "setupDate",
        "synchrotronName", "maxExpTimePerDataCollection", "maxExposureTimePerImage",
        "minExposureTimePerImage", "goniostatMaxOscillationSpeed", "goniostatMaxOscillationWidth",
        "goniostatMinOscillationWidth", "maxTransmission", "minTransmission", "CS", "active",
        "beamSizeXMin", "beamSizeXMax", "beamSizeYMin", "beamSizeYMax", "energyMin", "energyMax",
        "omegaMin", "omegaMax", "kappaMin", "kappaMax", "phiMin", "phiMax", "numberOfImagesMax",
        "numberOfImagesMin", "boxSizeXMin", "boxSizeXMax", "boxSizeYMin", "boxSizeYMax",
        "monoBandwidthMin", "monoBandwidthMax", "preferredDataCentre", "amplitudeContrast",
    ),
    required=("beamlineName",),
    includes=("Detector",),
    search=("beamlineName",),
    sort="-beamLineSetupId",
    defaults={"active": 0},
    stamps={"recordTimeStamp": "create"},
    units={
        "energyMin": "eV", "energyMax": "eV", "omegaMin": "°", "omegaMax": "°", "kappaMin": "°",
        "kappaMax": "°", "phiMin": "°", "phiMax": "°", "CS": "mm",
    },
)  # fmt: skip

detectors = Noun(
    table="Detector",
    path="detectors",
    area="beamlines",
    doc="A detector: its make, its size, its limits",
    level=Level.LOOKUP,
    read=Permission.DETECTORS_READ,
    write=Permission.DETECTORS_WRITE,
    actions=KEPT,
    writable=(
        "detectorType", "detectorManufacturer", "detectorModel", "detectorPixelSizeHorizontal",
        "detectorPixelSizeVertical", "DETECTORMAXRESOLUTION", "DETECTORMINRESOLUTION",
        "detectorSerialNumber", "detectorDistanceMin", "detectorDistanceMax",
        "trustedPixelValueRangeLower", "trustedPixelValueRangeUpper", "sensorThickness",
        "overload", "XGeoCorr", "YGeoCorr", "detectorMode", "density", "composition",
        "numberOfPixelsX", "numberOfPixelsY", "detectorRollMin", "detectorRollMax", "localName",
        "numberOfROIPixelsX", "numberOfROIPixelsY",
    ),
    search=("detectorManufacturer", "detectorModel", "detectorSerialNumber"),
    sort="detectorId",
    units={
        "detectorPixelSizeHorizontal": "mm", "detectorPixelSizeVertical": "mm",
        "detectorDistanceMin": "mm", "detectorDistanceMax": "mm", "sensorThickness": "mm",
    },
)  # fmt: skip

beam_calendars = Noun(
    table="BeamCalendar",
    path="beam-calendars",
    area="beamlines",
    doc="When the machine gives beam",
    level=Level.LOOKUP,
    read=Permission.BEAM_CALENDARS_READ,
    write=Permission.BEAM_CALENDARS_WRITE,
    writable=("run", "beamStatus", "startDate", "endDate"),
    search=("run", "beamStatus"),
    sort="-startDate",
)

container_types = Noun(
    table="ContainerType",
    path="container-types",
    area="lookups",
    doc="A kind of container: how many places it has, and how they lie",
    level=Level.LOOKUP,
    read=Permission.CONTAINER_TYPES_READ,
    write=Permission.CONTAINER_TYPES_WRITE,
    actions=KEPT,
    writable=(
        "name", "proposalType", "active", "capacity", "wellPerRow", "dropPerWellX", "dropPerWellY",
        "dropHeight", "dropWidth", "dropOffsetX", "dropOffsetY", "wellDrop",
    ),
    required=("name",),
    search=("name",),
    sort="name",
)  # fmt: skip

experiment_types = Noun(
    table="ExperimentType",
    path="experiment-types",
    area="lookups",
    doc="A kind of experiment that a site offers",
    level=Level.LOOKUP,
    read=Permission.EXPERIMENT_TYPES_READ,
    write=Permission.EXPERIMENT_TYPES_WRITE,
    actions=KEPT,
    writable=("name", "proposalType", "active"),
    required=("name",),
    search=("name",),
    sort="name",
)

component_types = Noun(
    table="ComponentType",
    path="component-types",
    area="lookups",
    doc="A kind of component of a sample",
    level=Level.LOOKUP,
    read=Permission.COMPONENT_TYPES_READ,
    write=Permission.COMPONENT_TYPES_WRITE,
    actions=KEPT,
    writable=("name",),
    search=("name",),
    sort="name",
)

NOUNS = (
    beamline_setups,
    detectors,
    beam_calendars,
    container_types,
    experiment_types,
    component_types,
)
