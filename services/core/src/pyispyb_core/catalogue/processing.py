"""What is asked of collections and first made of them: processing jobs, screenings, centrings."""

from pyispyb_chassis.nouns.noun import KEPT, Noun
from pyispyb_chassis.permissions import Permission
from pyispyb_core.rules import Level

processing_jobs = Noun(
    table="ProcessingJob",
    path="processing-jobs",
    area="processing",
    doc="A request to process a data collection again",
    level=Level.DATA,
    belongs_to=("dataCollectionId",),
    read=Permission.PROCESSING_JOBS_READ,
    write=Permission.PROCESSING_JOBS_WRITE,
    actions=KEPT,
    writable=("dataCollectionId", "displayName", "comments", "recipe", "automatic"),
    includes=("DataCollection",),
    search=("displayName", "recipe"),
    sort="-processingJobId",
    stamps={"recordTimestamp": "create"},
)

processing_job_parameters = Noun(
    table="ProcessingJobParameter",
    path="processing-job-parameters",
    area="processing",
    doc="A key and a value that a processing job was given",
    level=Level.DATA,
    belongs_to=("processingJobId",),
    read=Permission.PROCESSING_JOB_PARAMETERS_READ,
    write=Permission.PROCESSING_JOB_PARAMETERS_WRITE,
    actions=KEPT,
    writable=("processingJobId", "parameterKey", "parameterValue"),
    required=("parameterKey",),
    includes=("ProcessingJob",),
    search=("parameterKey",),
    sort="processingJobParameterId",
)

processing_job_sweeps = Noun(
    table="ProcessingJobImageSweep",
    path="processing-job-image-sweeps",
    area="processing",
    doc="The images of a data collection that a processing job takes, from first to last",
    level=Level.DATA,
    belongs_to=("processingJobId",),
    read=Permission.PROCESSING_JOB_IMAGE_SWEEPS_READ,
    write=Permission.PROCESSING_JOB_IMAGE_SWEEPS_WRITE,
    actions=KEPT,
    writable=("processingJobId", "dataCollectionId", "startImage", "endImage"),
    required=("dataCollectionId",),
    includes=("ProcessingJob", "DataCollection"),
    sort="-processingJobImageSweepId",
)

screenings = Noun(
    table="Screening",
    path="screenings",
    area="processing",
    doc="A characterisation of a sample by a few images",
    level=Level.DATA,
    belongs_to=("dataCollectionId", "dataCollectionGroupId"),
    read=Permission.SCREENINGS_READ,
    write=Permission.SCREENINGS_WRITE,
    actions=KEPT,
    writable=(
        "dataCollectionId", "dataCollectionGroupId", "programVersion", "comments", "shortComments",
    ),
    includes=("DataCollection", "DataCollectionGroup"),
    search=("shortComments", "programVersion"),
    sort="-screeningId",
    stamps={"bltimeStamp": "write"},
)  # fmt: skip

screening_outputs = Noun(
    table="ScreeningOutput",
    path="screening-outputs",
    area="processing",
    doc="What a screening found",
    level=Level.DATA,
    belongs_to=("screeningId",),
    read=Permission.SCREENING_OUTPUTS_READ,
    write=Permission.SCREENING_OUTPUTS_WRITE,
    actions=KEPT,
    writable=(
        "screeningId", "statusDescription", "rejectedReflections", "resolutionObtained",
        "spotDeviationR", "spotDeviationTheta", "beamShiftX", "beamShiftY", "numSpotsFound",
        "numSpotsUsed", "numSpotsRejected", "mosaicity", "iOverSigma", "diffractionRings",
        "mosaicityEstimated", "rankingResolution", "program", "doseTotal", "totalExposureTime",
        "totalRotationRange", "totalNumberOfImages", "rFriedel", "indexingSuccess",
        "strategySuccess", "alignmentSuccess",
    ),
    includes=("Screening",),
    search=("statusDescription", "program"),
    sort="-screeningOutputId",
    units={"resolutionObtained": "Å", "mosaicity": "°", "totalExposureTime": "s"},
)  # fmt: skip

screening_output_lattices = Noun(
    table="ScreeningOutputLattice",
    path="screening-output-lattices",
    area="processing",
    doc="A lattice that a screening indexed",
    level=Level.DATA,
    belongs_to=("screeningOutputId",),
    read=Permission.SCREENING_OUTPUT_LATTICES_READ,
    write=Permission.SCREENING_OUTPUT_LATTICES_WRITE,
    actions=KEPT,
    writable=(
        "screeningOutputId", "spaceGroup", "pointGroup", "bravaisLattice", "unitCell_a",
        "unitCell_b", "unitCell_c", "unitCell_alpha", "unitCell_beta", "unitCell_gamma",
        "rawOrientationMatrix_a_x", "rawOrientationMatrix_a_y", "rawOrientationMatrix_a_z",
        "rawOrientationMatrix_b_x", "rawOrientationMatrix_b_y", "rawOrientationMatrix_b_z",
        "rawOrientationMatrix_c_x", "rawOrientationMatrix_c_y", "rawOrientationMatrix_c_z",
        "labelitIndexing",
    ),
    includes=("ScreeningOutput",),
    search=("spaceGroup",),
    sort="-screeningOutputLatticeId",
    stamps={"bltimeStamp": "write"},
    units={
        "unitCell_a": "Å", "unitCell_b": "Å", "unitCell_c": "Å",
        "unitCell_alpha": "°", "unitCell_beta": "°", "unitCell_gamma": "°",
    },
)  # fmt: skip

screening_strategies = Noun(
    table="ScreeningStrategy",
    path="screening-strategies",
    singular="screening-strategy",
    area="processing",
    doc="A way to collect that a screening proposes",
    level=Level.DATA,
    belongs_to=("screeningOutputId",),
    read=Permission.SCREENING_STRATEGIES_READ,
    write=Permission.SCREENING_STRATEGIES_WRITE,
    actions=KEPT,
    writable=(
        "screeningOutputId", "phiStart", "phiEnd", "rotation", "exposureTime", "resolution",
        "completeness", "multiplicity", "anomalous", "program", "rankingResolution",
        "transmission",
    ),
    includes=("ScreeningOutput",),
    search=("program",),
    sort="-screeningStrategyId",
    units={
        "phiStart": "°", "phiEnd": "°", "rotation": "°", "exposureTime": "s", "resolution": "Å",
        "transmission": "%",
    },
)  # fmt: skip

screening_inputs = Noun(
    table="ScreeningInput",
    path="screening-inputs",
    area="processing",
    doc="What a screening was told before it began",
    level=Level.DATA,
    belongs_to=("screeningId",),
    read=Permission.SCREENING_INPUTS_READ,
    write=Permission.SCREENING_INPUTS_WRITE,
    actions=KEPT,
    writable=(
        "screeningId", "beamX", "beamY", "rmsErrorLimits", "minimumFractionIndexed",
        "maximumFractionRejected", "minimumSignalToNoise",
    ),
    includes=("Screening",),
    sort="-screeningInputId",
    units={"beamX": "mm", "beamY": "mm"},
)  # fmt: skip

screening_strategy_wedges = Noun(
    table="ScreeningStrategyWedge",
    path="screening-strategy-wedges",
    area="processing",
    doc="A part of a strategy that is collected at one setting of the goniometer",
    level=Level.DATA,
    belongs_to=("screeningStrategyId",),
    read=Permission.SCREENING_STRATEGY_WEDGES_READ,
    write=Permission.SCREENING_STRATEGY_WEDGES_WRITE,
    actions=KEPT,
    writable=(
        "screeningStrategyId", "wedgeNumber", "resolution", "completeness", "multiplicity",
        "doseTotal", "numberOfImages", "phi", "kappa", "chi", "comments", "wavelength",
    ),
    includes=("ScreeningStrategy", "ScreeningStrategySubWedge"),
    search=("comments",),
    sort="-screeningStrategyWedgeId",
    units={
        "resolution": "Å", "doseTotal": "MGy", "phi": "°", "kappa": "°", "chi": "°",
        "wavelength": "Å",
    },
)  # fmt: skip

screening_strategy_sub_wedges = Noun(
    table="ScreeningStrategySubWedge",
    path="screening-strategy-sub-wedges",
    area="processing",
    doc="A sweep of images within a wedge of a strategy",
    level=Level.DATA,
    belongs_to=("screeningStrategyWedgeId",),
    read=Permission.SCREENING_STRATEGY_SUB_WEDGES_READ,
    write=Permission.SCREENING_STRATEGY_SUB_WEDGES_WRITE,
    actions=KEPT,
    writable=(
        "screeningStrategyWedgeId", "subWedgeNumber", "rotationAxis", "axisStart", "axisEnd",
        "exposureTime", "transmission", "oscillationRange", "completeness", "multiplicity",
        "RESOLUTION", "doseTotal", "numberOfImages", "comments",
    ),
    includes=("ScreeningStrategyWedge",),
    search=("comments",),
    sort="-screeningStrategySubWedgeId",
    units={
        "axisStart": "°", "axisEnd": "°", "exposureTime": "s", "transmission": "%",
        "oscillationRange": "°", "RESOLUTION": "Å", "doseTotal": "MGy",
    },
)  # fmt: skip

screening_rank_sets = Noun(
    table="ScreeningRankSet",
    path="screening-rank-sets",
    area="processing",
    doc="A ranking of samples by their screenings",
    level=Level.DATA,
    named_by=("screening-ranks.screeningRankSetId",),
    read=Permission.SCREENING_RANK_SETS_READ,
    write=Permission.SCREENING_RANK_SETS_WRITE,
    actions=KEPT,
    writable=("rankEngine", "rankingProjectFileName", "rankingSummaryFileName"),
    includes=("ScreeningRank",),
    search=("rankEngine",),
    sort="-screeningRankSetId",
)

screening_ranks = Noun(
    table="ScreeningRank",
    path="screening-ranks",
    area="processing",
    doc="The place of a screening in a ranking",
    level=Level.DATA,
    belongs_to=("screeningId",),
    read=Permission.SCREENING_RANKS_READ,
    write=Permission.SCREENING_RANKS_WRITE,
    actions=KEPT,
    writable=("screeningId", "screeningRankSetId", "rankValue", "rankInformation"),
    required=("screeningRankSetId",),
    includes=("Screening", "ScreeningRankSet"),
    search=("rankInformation",),
    sort="-screeningRankId",
)

xray_centrings = Noun(
    table="XrayCentring",
    path="xray-centrings",
    area="processing",
    doc="A search for the crystal by its diffraction, in two or three dimensions",
    level=Level.DATA,
    belongs_to=("dataCollectionGroupId",),
    read=Permission.XRAY_CENTRINGS_READ,
    write=Permission.XRAY_CENTRINGS_WRITE,
    actions=KEPT,
    writable=("dataCollectionGroupId", "status", "xrayCentringType"),
    includes=("DataCollectionGroup",),
    sort="-xrayCentringId",
)

xray_centring_results = Noun(
    table="XrayCentringResult",
    path="xray-centring-results",
    area="processing",
    doc="A crystal that an X-ray centring found",
    level=Level.DATA,
    belongs_to=("xrayCentringId",),
    read=Permission.XRAY_CENTRING_RESULTS_READ,
    write=Permission.XRAY_CENTRING_RESULTS_WRITE,
    actions=KEPT,
    writable=(
        "xrayCentringId", "centreOfMassX", "centreOfMassY", "centreOfMassZ", "maxVoxelX",
        "maxVoxelY", "maxVoxelZ", "numberOfVoxels", "totalCount", "boundingBoxMinX",
        "boundingBoxMaxX", "boundingBoxMinY", "boundingBoxMaxY", "boundingBoxMinZ",
        "boundingBoxMaxZ", "status", "blSampleId",
    ),
    includes=("XrayCentring", "BLSample"),
    sort="-xrayCentringResultId",
)  # fmt: skip

NOUNS = (
    processing_jobs,
    processing_job_parameters,
    processing_job_sweeps,
    screenings,
    screening_inputs,
    screening_outputs,
    screening_output_lattices,
    screening_strategies,
    screening_strategy_wedges,
    screening_strategy_sub_wedges,
    screening_rank_sets,
    screening_ranks,
    xray_centrings,
    xray_centring_results,
)
