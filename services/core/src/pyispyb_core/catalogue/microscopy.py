"""What an electron microscope records in a session, and what is made of it."""

from pyispyb_chassis.nouns.noun import KEPT, Noun
from pyispyb_chassis.permissions import Permission
from pyispyb_core.rules import Level

atlases = Noun(
    table="Atlas",
    path="atlases",
    singular="atlas",
    area="microscopy",
    doc="A picture of a whole cryo-EM grid",
    level=Level.DATA,
    belongs_to=("dataCollectionGroupId",),
    read=Permission.ATLASES_READ,
    write=Permission.ATLASES_WRITE,
    actions=KEPT,
    writable=(
        "dataCollectionGroupId", "atlasImage", "pixelSize", "cassetteSlot", "hasRed", "hasBlue",
        "hasGreen", "hasYellow", "hasCyan", "hasMagenta", "hasGrey", "mode",
    ),
    required=("atlasImage", "pixelSize"),
    includes=("DataCollectionGroup", "GridSquare"),
    search=("atlasImage",),
    sort="-atlasId",
)  # fmt: skip

grid_squares = Noun(
    table="GridSquare",
    path="grid-squares",
    area="microscopy",
    doc="A square of a cryo-EM grid, and its picture",
    level=Level.DATA,
    belongs_to=("atlasId",),
    read=Permission.GRID_SQUARES_READ,
    write=Permission.GRID_SQUARES_WRITE,
    actions=KEPT,
    writable=(
        "atlasId", "gridSquareLabel", "gridSquareImage", "pixelLocationX", "pixelLocationY",
        "height", "width", "angle", "stageLocationX", "stageLocationY", "qualityIndicator",
        "pixelSize", "hasRed", "hasBlue", "hasGreen", "hasYellow", "hasCyan", "hasMagenta",
        "hasGrey", "mode",
    ),
    includes=("Atlas", "FoilHole"),
    search=("gridSquareImage",),
    sort="-gridSquareId",
    units={
        "pixelLocationX": "pixel", "pixelLocationY": "pixel", "height": "pixel", "width": "pixel",
        "stageLocationX": "µm", "stageLocationY": "µm",
    },
)  # fmt: skip

foil_holes = Noun(
    table="FoilHole",
    path="foil-holes",
    area="microscopy",
    doc="A hole in the foil of a grid square",
    level=Level.DATA,
    belongs_to=("gridSquareId",),
    read=Permission.FOIL_HOLES_READ,
    write=Permission.FOIL_HOLES_WRITE,
    actions=KEPT,
    writable=(
        "gridSquareId", "foilHoleLabel", "foilHoleImage", "pixelLocationX", "pixelLocationY",
        "diameter", "stageLocationX", "stageLocationY", "qualityIndicator", "pixelSize",
    ),
    required=("foilHoleLabel",),
    includes=("GridSquare",),
    search=("foilHoleLabel",),
    sort="-foilHoleId",
    units={
        "pixelLocationX": "pixel", "pixelLocationY": "pixel", "diameter": "pixel",
        "stageLocationX": "µm", "stageLocationY": "µm",
    },
)  # fmt: skip

movies = Noun(
    table="Movie",
    path="movies",
    area="microscopy",
    doc="The frames that an electron detector took of one place",
    level=Level.DATA,
    belongs_to=("dataCollectionId",),
    read=Permission.MOVIES_READ,
    write=Permission.MOVIES_WRITE,
    actions=KEPT,
    writable=(
        "dataCollectionId", "foilHoleId", "movieNumber", "movieFullPath", "positionX", "positionY",
        "nominalDefocus", "angle", "fluence", "numberOfFrames", "templateLabel",
    ),
    includes=("DataCollection", "FoilHole"),
    search=("movieFullPath",),
    sort="-movieId",
    stamps={"createdTimeStamp": "create"},
    units={"nominalDefocus": "Å", "angle": "°"},
)  # fmt: skip

motion_corrections = Noun(
    table="MotionCorrection",
    path="motion-corrections",
    area="microscopy",
    doc="The frames of a movie, aligned and summed",
    level=Level.DATA,
    belongs_to=("dataCollectionId", "movieId"),
    read=Permission.MOTION_CORRECTIONS_READ,
    write=Permission.MOTION_CORRECTIONS_WRITE,
    actions=KEPT,
    writable=(
        "dataCollectionId", "movieId", "autoProcProgramId", "imageNumber", "firstFrame",
        "lastFrame", "dosePerFrame", "doseWeight", "totalMotion", "averageMotionPerFrame",
        "driftPlotFullPath", "micrographFullPath", "micrographSnapshotFullPath", "patchesUsedX",
        "patchesUsedY", "fftFullPath", "fftCorrectedFullPath", "comments",
    ),
    includes=("DataCollection", "Movie", "AutoProcProgram"),
    search=("micrographFullPath",),
    sort="-motionCorrectionId",
    units={"dosePerFrame": "e⁻/Å²", "totalMotion": "Å", "averageMotionPerFrame": "Å"},
)  # fmt: skip

ctfs = Noun(
    table="CTF",
    path="ctfs",
    area="microscopy",
    doc="The contrast transfer function of a micrograph",
    level=Level.DATA,
    belongs_to=("motionCorrectionId",),
    read=Permission.CTFS_READ,
    write=Permission.CTFS_WRITE,
    actions=KEPT,
    writable=(
        "motionCorrectionId", "autoProcProgramId", "boxSizeX", "boxSizeY", "minResolution",
        "maxResolution", "minDefocus", "maxDefocus", "defocusStepSize", "astigmatism",
        "astigmatismAngle", "estimatedResolution", "estimatedDefocus", "amplitudeContrast",
        "ccValue", "fftTheoreticalFullPath", "iceRingDensity", "comments",
    ),
    includes=("MotionCorrection", "AutoProcProgram"),
    search=("comments",),
    sort="-ctfId",
    units={
        "boxSizeX": "pixel", "boxSizeY": "pixel", "minResolution": "Å", "maxResolution": "Å",
        "minDefocus": "Å", "maxDefocus": "Å", "defocusStepSize": "Å", "astigmatism": "Å",
        "estimatedResolution": "Å", "estimatedDefocus": "Å",
    },
)  # fmt: skip

particle_pickers = Noun(
    table="ParticlePicker",
    path="particle-pickers",
    area="microscopy",
    doc="A search for particles in micrographs",
    level=Level.DATA,
    belongs_to=("firstMotionCorrectionId",),
    read=Permission.PARTICLE_PICKERS_READ,
    write=Permission.PARTICLE_PICKERS_WRITE,
    actions=KEPT,
    writable=(
        "firstMotionCorrectionId", "programId", "particlePickingTemplate", "particleDiameter",
        "numberOfParticles", "summaryImageFullPath",
    ),
    includes=("MotionCorrection", "AutoProcProgram"),
    search=("particlePickingTemplate",),
    sort="-particlePickerId",
    units={"particleDiameter": "nm"},
)  # fmt: skip

particle_classification_groups = Noun(
    table="ParticleClassificationGroup",
    path="particle-classification-groups",
    area="microscopy",
    doc="A sorting of particles into classes, in two or three dimensions",
    level=Level.DATA,
    belongs_to=("particlePickerId",),
    read=Permission.PARTICLE_CLASSIFICATION_GROUPS_READ,
    write=Permission.PARTICLE_CLASSIFICATION_GROUPS_WRITE,
    actions=KEPT,
    writable=(
        "particlePickerId", "programId", "type", "batchNumber", "numberOfParticlesPerBatch",
        "numberOfClassesPerBatch", "symmetry", "binnedPixelSize",
    ),
    includes=("ParticlePicker", "AutoProcProgram"),
    search=("symmetry",),
    sort="-particleClassificationGroupId",
    units={"binnedPixelSize": "Å"},
)  # fmt: skip

particle_classifications = Noun(
    table="ParticleClassification",
    path="particle-classifications",
    area="microscopy",
    doc="A class of particles that a sorting found",
    level=Level.DATA,
    belongs_to=("particleClassificationGroupId",),
    read=Permission.PARTICLE_CLASSIFICATIONS_READ,
    write=Permission.PARTICLE_CLASSIFICATIONS_WRITE,
    actions=KEPT,
    writable=(
        "particleClassificationGroupId", "classNumber", "classImageFullPath", "particlesPerClass",
        "rotationAccuracy", "translationAccuracy", "estimatedResolution",
        "overallFourierCompleteness", "classDistribution", "selected", "bFactorFitIntercept",
        "bFactorFitLinear", "bFactorFitQuadratic", "angularEfficiency", "suggestedTilt",
    ),
    includes=("ParticleClassificationGroup",),
    search=("classImageFullPath",),
    sort="-particleClassificationId",
    units={"translationAccuracy": "Å", "estimatedResolution": "Å", "suggestedTilt": "°"},
)  # fmt: skip

tomograms = Noun(
    table="Tomogram",
    path="tomograms",
    area="microscopy",
    doc="A volume that was made of a tilt series",
    level=Level.DATA,
    belongs_to=("dataCollectionId",),
    read=Permission.TOMOGRAMS_READ,
    write=Permission.TOMOGRAMS_WRITE,
    actions=KEPT,
    writable=(
        "dataCollectionId", "autoProcProgramId", "gridSquareId", "volumeFile", "stackFile", "sizeX",
        "sizeY", "sizeZ", "pixelSpacing", "residualErrorMean", "residualErrorSD", "xAxisCorrection",
        "tiltAngleOffset", "zShift", "fileDirectory", "centralSliceImage", "tomogramMovie",
        "xyShiftPlot", "projXY", "projXZ", "globalAlignmentQuality", "pixelLocationX",
        "pixelLocationY", "thickness",
    ),
    includes=("DataCollection", "AutoProcProgram", "GridSquare"),
    search=("volumeFile",),
    sort="-tomogramId",
    stamps={"recordTimeStamp": "write"},
    units={
        "sizeX": "pixel", "sizeY": "pixel", "sizeZ": "pixel", "pixelSpacing": "Å/pixel",
        "residualErrorMean": "nm", "residualErrorSD": "nm", "xAxisCorrection": "°",
        "tiltAngleOffset": "°", "pixelLocationX": "pixel", "pixelLocationY": "pixel",
        "thickness": "nm",
    },
)  # fmt: skip

tilt_alignments = Noun(
    table="TiltImageAlignment",
    path="tilt-alignments",
    area="microscopy",
    doc="How one movie of a tilt series was laid into the volume",
    level=Level.DATA,
    within="tomogramId",
    segment="tilt-alignments",
    key="movieId",
    belongs_to=("tomogramId",),
    read=Permission.TILT_ALIGNMENTS_READ,
    write=Permission.TILT_ALIGNMENTS_WRITE,
    actions=KEPT,
    writable=(
        "tomogramId", "movieId", "defocusU", "defocusV", "psdFile", "resolution", "fitQuality",
        "refinedMagnification", "refinedTiltAngle", "refinedTiltAxis", "residualError",
    ),
    includes=("Movie",),
    sort="movieId",
    units={
        "defocusU": "Å", "defocusV": "Å", "resolution": "Å", "refinedTiltAngle": "°",
        "refinedTiltAxis": "°", "residualError": "nm",
    },
)  # fmt: skip

NOUNS = (
    atlases,
    grid_squares,
    foil_holes,
    movies,
    motion_corrections,
    ctfs,
    particle_pickers,
    particle_classification_groups,
    particle_classifications,
    tomograms,
    tilt_alignments,
)
