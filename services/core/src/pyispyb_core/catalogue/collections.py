"""What is recorded in a session: collections and their images, scans, spectra, robot actions."""

from pyispyb_chassis.nouns.noun import KEPT, Noun
from pyispyb_chassis.permissions import Permission
from pyispyb_core.rules import Level

datacollection_groups = Noun(
    table="DataCollectionGroup",
    path="datacollection-groups",
    area="collections",
    doc="Data collections of one sample that belong together",
    level=Level.DATA,
    belongs_to=("sessionId",),
    read=Permission.DATACOLLECTION_GROUPS_READ,
    write=Permission.DATACOLLECTION_GROUPS_WRITE,
    actions=KEPT,
    writable=(
        "sessionId", "blSampleId", "experimentType", "experimentTypeId", "startTime", "endTime",
        "comments", "crystalClass", "detectorMode", "actualSampleBarcode",
        "actualSampleSlotInContainer", "actualContainerBarcode", "actualContainerSlotInSC",
        "xtalSnapshotFullPath", "scanParameters",
    ),
    required=("experimentType",),
    includes=("BLSession", "BLSample", "ExperimentType", "DataCollection"),
    search=("comments", "actualSampleBarcode"),
    sort="-dataCollectionGroupId",
)  # fmt: skip

datacollections = Noun(
    table="DataCollection",
    path="datacollections",
    area="collections",
    doc="A series of images recorded in one go",
    level=Level.DATA,
    belongs_to=("dataCollectionGroupId",),
    read=Permission.DATACOLLECTIONS_READ,
    write=Permission.DATACOLLECTIONS_WRITE,
    actions=KEPT,
    writable=(
        "dataCollectionGroupId", "dataCollectionNumber", "startTime", "endTime", "runStatus",
        "axisStart", "axisEnd", "axisRange", "overlap", "numberOfImages", "startImageNumber",
        "numberOfPasses", "exposureTime", "imageDirectory", "imagePrefix", "imageSuffix",
        "imageContainerSubPath", "fileTemplate", "wavelength", "resolution", "detectorDistance",
        "xBeam", "yBeam", "comments", "printableForReport", "slitGapVertical", "slitGapHorizontal",
        "transmission", "synchrotronMode", "xtalSnapshotFullPath1", "xtalSnapshotFullPath2",
        "xtalSnapshotFullPath3", "xtalSnapshotFullPath4", "rotationAxis", "phiStart", "kappaStart",
        "omegaStart", "chiStart", "resolutionAtCorner", "detector2Theta", "undulatorGap1",
        "undulatorGap2", "undulatorGap3", "beamSizeAtSampleX", "beamSizeAtSampleY",
        "centeringMethod", "averageTemperature", "actualCenteringPosition", "beamShape",
        "detectorId", "flux", "flux_end", "bestWilsonPlotPath", "processedDataFile", "datFullPath",
        "magnification", "totalAbsorbedDose", "binning", "blSubSampleId", "voltage",
        "totalExposedDose", "nominalMagnification", "nominalDefocus", "imageSizeX", "imageSizeY",
        "pixelSizeOnImage", "phasePlate", "dataCollectionPlanId",
    ),
    includes=("DataCollectionGroup", "Detector", "BLSubSample", "DiffractionPlan"),
    search=("imagePrefix", "imageDirectory"),
    sort="-dataCollectionId",
    units={
        "axisStart": "°", "axisEnd": "°", "axisRange": "°", "overlap": "°", "exposureTime": "s",
        "wavelength": "Å", "resolution": "Å", "detectorDistance": "mm", "xBeam": "mm",
        "yBeam": "mm", "transmission": "%", "phiStart": "°", "kappaStart": "°", "omegaStart": "°",
        "chiStart": "°", "resolutionAtCorner": "Å", "detector2Theta": "°",
        "beamSizeAtSampleX": "mm", "beamSizeAtSampleY": "mm", "averageTemperature": "K",
        "flux": "photons/s", "flux_end": "photons/s", "totalAbsorbedDose": "MGy", "voltage": "kV",
    },
)  # fmt: skip

images = Noun(
    table="Image",
    path="images",
    area="collections",
    doc="One image of a data collection, where a site keeps them one by one",
    level=Level.DATA,
    belongs_to=("dataCollectionId",),
    read=Permission.IMAGES_READ,
    write=Permission.IMAGES_WRITE,
    actions=KEPT,
    writable=(
        "dataCollectionId", "imageNumber", "fileName", "fileLocation", "measuredIntensity",
        "jpegFileFullPath", "jpegThumbnailFileFullPath", "temperature", "cumulativeIntensity",
        "synchrotronCurrent", "comments", "machineMessage",
    ),
    includes=("DataCollection",),
    search=("fileName",),
    sort="-imageId",
    stamps={"recordTimeStamp": "create", "BLTIMESTAMP": "write"},
    units={"temperature": "K", "synchrotronCurrent": "mA"},
)  # fmt: skip

grid_infos = Noun(
    table="GridInfo",
    path="grid-infos",
    area="collections",
    doc="The grid of a raster scan, as it lies on the sample",
    level=Level.DATA,
    belongs_to=("dataCollectionId", "dataCollectionGroupId"),
    read=Permission.GRID_INFOS_READ,
    write=Permission.GRID_INFOS_WRITE,
    actions=KEPT,
    writable=(
        "dataCollectionId", "dataCollectionGroupId", "xOffset", "yOffset", "dx_mm", "dy_mm",
        "steps_x", "steps_y", "meshAngle", "orientation", "snapshot_offsetXPixel",
        "snapshot_offsetYPixel", "snaked", "patchesX", "patchesY", "micronsPerPixelX",
        "micronsPerPixelY",
    ),
    includes=("DataCollection", "DataCollectionGroup"),
    sort="-gridInfoId",
    stamps={"recordTimeStamp": "create"},
    units={"dx_mm": "mm", "dy_mm": "mm", "meshAngle": "°", "micronsPerPixelX": "µm"},
)  # fmt: skip

attachments = Noun(
    table="DataCollectionFileAttachment",
    path="datacollection-attachments",
    area="collections",
    doc="A file that belongs to a data collection: a log, a snapshot, a parameter file",
    level=Level.DATA,
    belongs_to=("dataCollectionId",),
    read=Permission.DATACOLLECTION_ATTACHMENTS_READ,
    write=Permission.DATACOLLECTION_ATTACHMENTS_WRITE,
    actions=KEPT,
    writable=("dataCollectionId", "fileFullPath", "fileType"),
    includes=("DataCollection",),
    search=("fileFullPath",),
    sort="-dataCollectionFileAttachmentId",
    stamps={"createTime": "create"},
)

robot_actions = Noun(
    table="RobotAction",
    path="robot-actions",
    area="collections",
    doc="A sample changer's load, unload, wash, or what else it did",
    level=Level.DATA,
    belongs_to=("blsessionId",),
    read=Permission.ROBOT_ACTIONS_READ,
    write=Permission.ROBOT_ACTIONS_WRITE,
    actions=KEPT,
    writable=(
        "blsessionId", "blsampleId", "actionType", "status", "message", "startTimestamp",
        "endTimestamp", "containerLocation", "dewarLocation", "sampleBarcode",
        "xtalSnapshotBefore", "xtalSnapshotAfter",
    ),
    required=("actionType", "startTimestamp", "endTimestamp"),
    includes=("BLSession", "BLSample"),
    search=("message", "sampleBarcode"),
    sort="-robotActionId",
)  # fmt: skip

energy_scans = Noun(
    table="EnergyScan",
    path="energy-scans",
    area="collections",
    doc="A scan over an absorption edge",
    level=Level.DATA,
    belongs_to=("sessionId",),
    read=Permission.ENERGY_SCANS_READ,
    write=Permission.ENERGY_SCANS_WRITE,
    actions=KEPT,
    writable=(
        "sessionId", "blSampleId", "blSubSampleId", "fluorescenceDetector", "scanFileFullPath",
        "jpegChoochFileFullPath", "element", "startEnergy", "endEnergy", "transmissionFactor",
        "exposureTime", "axisPosition", "synchrotronCurrent", "temperature", "peakEnergy",
        "peakFPrime", "peakFDoublePrime", "inflectionEnergy", "inflectionFPrime",
        "inflectionFDoublePrime", "xrayDose", "startTime", "endTime", "edgeEnergy", "filename",
        "beamSizeVertical", "beamSizeHorizontal", "choochFileFullPath", "crystalClass", "comments",
        "flux", "flux_end", "workingDirectory",
    ),
    includes=("BLSession", "BLSample", "BLSubSample"),
    search=("element", "filename"),
    sort="-energyScanId",
    units={
        "startEnergy": "eV", "endEnergy": "eV", "peakEnergy": "eV", "inflectionEnergy": "eV",
        "exposureTime": "s", "transmissionFactor": "%", "synchrotronCurrent": "mA",
        "temperature": "K", "flux": "photons/s", "flux_end": "photons/s",
    },
)  # fmt: skip

xfe_spectra = Noun(
    table="XFEFluorescenceSpectrum",
    path="xfe-spectra",
    area="collections",
    doc="An X-ray fluorescence emission spectrum",
    level=Level.DATA,
    belongs_to=("sessionId",),
    read=Permission.XFE_SPECTRA_READ,
    write=Permission.XFE_SPECTRA_WRITE,
    actions=KEPT,
    writable=(
        "sessionId", "blSampleId", "blSubSampleId", "jpegScanFileFullPath", "startTime", "endTime",
        "filename", "exposureTime", "axisPosition", "beamTransmission",
        "annotatedPymcaXfeSpectrum", "fittedDataFileFullPath", "scanFileFullPath", "energy",
        "beamSizeVertical", "beamSizeHorizontal", "crystalClass", "comments", "flux", "flux_end",
        "workingDirectory",
    ),
    includes=("BLSession", "BLSample", "BLSubSample"),
    search=("filename",),
    sort="-xfeFluorescenceSpectrumId",
    units={
        "exposureTime": "s", "beamTransmission": "%", "energy": "eV", "flux": "photons/s",
        "flux_end": "photons/s",
    },
)  # fmt: skip

NOUNS = (
    datacollection_groups,
    datacollections,
    images,
    grid_infos,
    attachments,
    robot_actions,
    energy_scans,
    xfe_spectra,
)
