"""What pipelines made of collections: programs, cells, integrations, scalings, their files."""

from pyispyb_chassis.nouns.noun import KEPT, Noun
from pyispyb_chassis.permissions import Permission
from pyispyb_core.rules import Level

programs = Noun(
    table="AutoProcProgram",
    path="autoproc-programs",
    area="processing",
    doc="One run of a processing program: what ran, when, how it ended",
    level=Level.PROCESSING,
    belongs_to=("processingJobId",),
    named_by=("autoproc-integrations.autoProcProgramId",),
    read=Permission.AUTOPROC_PROGRAMS_READ,
    write=Permission.AUTOPROC_PROGRAMS_WRITE,
    actions=KEPT,
    writable=(
        "processingJobId", "processingCommandLine", "processingPrograms", "processingStatus",
        "processingMessage", "processingStartTime", "processingEndTime", "processingEnvironment",
        "parentAutoProcProgramId",
    ),
    includes=("ProcessingJob",),
    search=("processingPrograms", "processingMessage"),
    sort="-autoProcProgramId",
    stamps={"recordTimeStamp": "create"},
)  # fmt: skip

autoprocs = Noun(
    table="AutoProc",
    path="autoprocs",
    area="processing",
    doc="The space group and cell that processing found",
    level=Level.PROCESSING,
    belongs_to=("autoProcProgramId",),
    read=Permission.AUTOPROCS_READ,
    write=Permission.AUTOPROCS_WRITE,
    actions=KEPT,
    writable=(
        "autoProcProgramId", "spaceGroup", "refinedCell_a", "refinedCell_b", "refinedCell_c",
        "refinedCell_alpha", "refinedCell_beta", "refinedCell_gamma",
    ),
    includes=("AutoProcProgram",),
    search=("spaceGroup",),
    sort="-autoProcId",
    stamps={"recordTimeStamp": "create"},
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
    level=Level.PROCESSING,
    belongs_to=("dataCollectionId",),
    read=Permission.AUTOPROC_INTEGRATIONS_READ,
    write=Permission.AUTOPROC_INTEGRATIONS_WRITE,
    actions=KEPT,
    writable=(
        "dataCollectionId", "autoProcProgramId", "startImageNumber", "endImageNumber",
        "refinedDetectorDistance", "refinedXBeam", "refinedYBeam", "rotationAxisX",
        "rotationAxisY", "rotationAxisZ", "beamVectorX", "beamVectorY", "beamVectorZ", "cell_a",
        "cell_b", "cell_c", "cell_alpha", "cell_beta", "cell_gamma", "anomalous",
    ),
    includes=("DataCollection", "AutoProcProgram"),
    sort="-autoProcIntegrationId",
    stamps={"recordTimeStamp": "create"},
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
    write=Permission.AUTOPROC_SCALINGS_WRITE,
    actions=KEPT,
    writable=("autoProcId",),
    includes=("AutoProc",),
    sort="-autoProcScalingId",
    stamps={"recordTimeStamp": "create"},
)

scaling_statistics = Noun(
    table="AutoProcScalingStatistics",
    path="autoproc-scaling-statistics",
    area="processing",
    doc="The statistics of a scaling: overall, or of the inner or outer shell",
    level=Level.PROCESSING,
    belongs_to=("autoProcScalingId",),
    read=Permission.AUTOPROC_SCALING_STATISTICS_READ,
    write=Permission.AUTOPROC_SCALING_STATISTICS_WRITE,
    actions=KEPT,
    writable=(
        "autoProcScalingId", "scalingStatisticsType", "comments", "resolutionLimitLow",
        "resolutionLimitHigh", "rMerge", "rMeasWithinIPlusIMinus", "rMeasAllIPlusIMinus",
        "rPimWithinIPlusIMinus", "rPimAllIPlusIMinus", "fractionalPartialBias",
        "nTotalObservations", "nTotalUniqueObservations", "meanIOverSigI", "completeness",
        "multiplicity", "anomalousCompleteness", "anomalousMultiplicity", "anomalous", "ccHalf",
        "ccAnomalous", "resIOverSigI2",
    ),
    includes=("AutoProcScaling",),
    search=("comments",),
    sort="-autoProcScalingStatisticsId",
    stamps={"recordTimeStamp": "create"},
    units={"resolutionLimitLow": "Å", "resolutionLimitHigh": "Å", "completeness": "%"},
)  # fmt: skip

scaling_integrations = Noun(
    table="AutoProcScaling_has_Int",
    path="autoproc-scaling-integrations",
    area="processing",
    doc="That a scaling took in an integration, of one data collection or of several",
    level=Level.PROCESSING,
    belongs_to=("autoProcIntegrationId",),
    read=Permission.AUTOPROC_SCALING_INTEGRATIONS_READ,
    write=Permission.AUTOPROC_SCALING_INTEGRATIONS_WRITE,
    actions=KEPT,
    writable=("autoProcIntegrationId", "autoProcScalingId"),
    required=("autoProcScalingId",),
    includes=("AutoProcIntegration", "AutoProcScaling"),
    sort="-autoProcScaling_has_IntId",
    stamps={"recordTimeStamp": "create"},
)

program_attachments = Noun(
    table="AutoProcProgramAttachment",
    path="autoproc-program-attachments",
    area="processing",
    doc="A file that a processing program wrote",
    level=Level.PROCESSING,
    belongs_to=("autoProcProgramId",),
    read=Permission.AUTOPROC_PROGRAM_ATTACHMENTS_READ,
    write=Permission.AUTOPROC_PROGRAM_ATTACHMENTS_WRITE,
    actions=KEPT,
    writable=(
        "autoProcProgramId", "fileType", "fileName", "filePath", "importanceRank", "deleted",
    ),
    includes=("AutoProcProgram",),
    search=("fileName",),
    sort="-autoProcProgramAttachmentId",
    stamps={"recordTimeStamp": "create"},
)  # fmt: skip

program_messages = Noun(
    table="AutoProcProgramMessage",
    path="autoproc-program-messages",
    area="processing",
    doc="What a processing program had to say to its users",
    level=Level.PROCESSING,
    belongs_to=("autoProcProgramId",),
    read=Permission.AUTOPROC_PROGRAM_MESSAGES_READ,
    write=Permission.AUTOPROC_PROGRAM_MESSAGES_WRITE,
    actions=KEPT,
    writable=(
        "autoProcProgramId", "severity", "message", "description",
    ),
    includes=("AutoProcProgram",),
    search=("message",),
    sort="-autoProcProgramMessageId",
    stamps={"recordTimeStamp": "create"},
)  # fmt: skip

NOUNS = (
    programs,
    autoprocs,
    integrations,
    scalings,
    scaling_statistics,
    scaling_integrations,
    program_attachments,
    program_messages,
)
