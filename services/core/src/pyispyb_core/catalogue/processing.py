"""What is made of collections: processing jobs, programs and results, screenings, centrings."""

from pyispyb_chassis.nouns.noun import KEPT, READS, Noun
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

programs = Noun(
    table="AutoProcProgram",
    path="autoproc-programs",
    area="processing",
    doc="One run of a processing program: what ran, when, how it ended",
    level=Level.PROCESSING,
    belongs_to=("processingJobId",),
    read=Permission.AUTOPROC_PROGRAMS_READ,
    write=Permission.EVERYTHING_WRITE_ALL,
    actions=READS,
    includes=("ProcessingJob",),
    search=("processingPrograms", "processingMessage"),
    sort="-autoProcProgramId",
)

autoprocs = Noun(
    table="AutoProc",
    path="autoprocs",
    area="processing",
    doc="The space group and cell that processing found",
    level=Level.PROCESSING,
    belongs_to=("autoProcProgramId",),
    read=Permission.AUTOPROCS_READ,
    write=Permission.EVERYTHING_WRITE_ALL,
    actions=READS,
    includes=("AutoProcProgram",),
    search=("spaceGroup",),
    sort="-autoProcId",
    units={
        "refinedCell_a": "Å", "refinedCell_b": "Å", "refinedCell_c": "Å",
        "refinedCell_alpha": "°", "refinedCell_beta": "°", "refinedCell_gamma": "°",
    },
)  # fmt: skip

integrations = Noun(
    table="AutoProcIntegration",
    path="autoproc-integrations",
    area="processing",
    doc="The integration of one data collection",
    level=Level.DATA,
    belongs_to=("dataCollectionId",),
    read=Permission.AUTOPROC_INTEGRATIONS_READ,
    write=Permission.EVERYTHING_WRITE_ALL,
    actions=READS,
    includes=("DataCollection", "AutoProcProgram"),
    sort="-autoProcIntegrationId",
    units={
        "cell_a": "Å", "cell_b": "Å", "cell_c": "Å",
        "cell_alpha": "°", "cell_beta": "°", "cell_gamma": "°", "refinedDetectorDistance": "mm",
    },
)  # fmt: skip

scalings = Noun(
    table="AutoProcScaling",
    path="autoproc-scalings",
    area="processing",
    doc="The scaling of one or more integrations",
    level=Level.PROCESSING,
    belongs_to=("autoProcId",),
    read=Permission.AUTOPROC_SCALINGS_READ,
    write=Permission.EVERYTHING_WRITE_ALL,
    actions=READS,
    includes=("AutoProc",),
    sort="-autoProcScalingId",
)

scaling_statistics = Noun(
    table="AutoProcScalingStatistics",
    path="autoproc-scaling-statistics",
    area="processing",
    doc="The statistics of a scaling: overall, or of the inner or outer shell",
    level=Level.PROCESSING,
    belongs_to=("autoProcScalingId",),
    read=Permission.AUTOPROC_SCALING_STATISTICS_READ,
    write=Permission.EVERYTHING_WRITE_ALL,
    actions=READS,
    includes=("AutoProcScaling",),
    search=("comments",),
    sort="-autoProcScalingStatisticsId",
    units={"resolutionLimitLow": "Å", "resolutionLimitHigh": "Å", "completeness": "%"},
)

program_attachments = Noun(
    table="AutoProcProgramAttachment",
    path="autoproc-program-attachments",
    area="processing",
    doc="A file that a processing program wrote",
    level=Level.PROCESSING,
    belongs_to=("autoProcProgramId",),
    read=Permission.AUTOPROC_PROGRAM_ATTACHMENTS_READ,
    write=Permission.EVERYTHING_WRITE_ALL,
    actions=READS,
    includes=("AutoProcProgram",),
    search=("fileName",),
    sort="-autoProcProgramAttachmentId",
)

program_messages = Noun(
    table="AutoProcProgramMessage",
    path="autoproc-program-messages",
    area="processing",
    doc="What a processing program had to say to its users",
    level=Level.PROCESSING,
    belongs_to=("autoProcProgramId",),
    read=Permission.AUTOPROC_PROGRAM_MESSAGES_READ,
    write=Permission.EVERYTHING_WRITE_ALL,
    actions=READS,
    includes=("AutoProcProgram",),
    search=("message",),
    sort="-autoProcProgramMessageId",
)

NOUNS = (
    processing_jobs,
    processing_job_parameters,
    screenings,
    screening_outputs,
    screening_output_lattices,
    screening_strategies,
    xray_centrings,
    xray_centring_results,
    programs,
    autoprocs,
    integrations,
    scalings,
    scaling_statistics,
    program_attachments,
    program_messages,
)
