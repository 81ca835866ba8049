"""The words that a site has agreed on, by which samples, containers and pipelines are told of."""

from pyispyb_chassis.nouns.noun import KEPT, Noun
from pyispyb_chassis.permissions import Permission
from pyispyb_core.rules import Level

sample_types = Noun(
    table="BLSampleType",
    path="sample-types",
    area="lookups",
    doc="A kind of sample",
    level=Level.LOOKUP,
    read=Permission.SAMPLE_TYPES_READ,
    write=Permission.SAMPLE_TYPES_WRITE,
    actions=KEPT,
    writable=("name", "proposalType", "active"),
    required=("name",),
    search=("name",),
    sort="name",
)

component_sub_types = Noun(
    table="ComponentSubType",
    path="component-sub-types",
    area="lookups",
    doc="A finer kind of component, as a buffer or a precipitant",
    level=Level.LOOKUP,
    read=Permission.COMPONENT_SUB_TYPES_READ,
    write=Permission.COMPONENT_SUB_TYPES_WRITE,
    actions=KEPT,
    writable=("name", "hasPh", "proposalType", "active"),
    required=("name",),
    search=("name",),
    sort="name",
)

concentration_types = Noun(
    table="ConcentrationType",
    path="concentration-types",
    area="lookups",
    doc="A unit in which concentrations are told",
    level=Level.LOOKUP,
    read=Permission.CONCENTRATION_TYPES_READ,
    write=Permission.CONCENTRATION_TYPES_WRITE,
    actions=KEPT,
    writable=("name", "symbol", "proposalType", "active"),
    required=("name", "symbol"),
    search=("name", "symbol"),
    sort="name",
)

purification_columns = Noun(
    table="PurificationColumn",
    path="purification-columns",
    area="lookups",
    doc="A column that a site offers to purify samples in solution",
    level=Level.LOOKUP,
    read=Permission.PURIFICATION_COLUMNS_READ,
    write=Permission.PURIFICATION_COLUMNS_WRITE,
    actions=KEPT,
    writable=("name", "active"),
    required=("name",),
    search=("name",),
    sort="name",
)

space_groups = Noun(
    table="SpaceGroup",
    path="space-groups",
    area="lookups",
    doc="A space group: its number, its names, its lattice",
    level=Level.LOOKUP,
    read=Permission.SPACE_GROUPS_READ,
    write=Permission.SPACE_GROUPS_WRITE,
    actions=KEPT,
    writable=(
        "spaceGroupNumber", "spaceGroupShortName", "spaceGroupName", "bravaisLattice",
        "bravaisLatticeName", "pointGroup", "MX_used", "geometryClassnameId",
    ),
    required=("spaceGroupNumber", "spaceGroupShortName"),
    includes=("GeometryClassname",),
    search=("spaceGroupShortName", "spaceGroupName"),
    sort="spaceGroupNumber",
)  # fmt: skip

geometry_classnames = Noun(
    table="GeometryClassname",
    path="geometry-classnames",
    area="lookups",
    doc="A class of space groups by the geometry of their cell",
    level=Level.LOOKUP,
    read=Permission.GEOMETRY_CLASSNAMES_READ,
    write=Permission.GEOMETRY_CLASSNAMES_WRITE,
    actions=KEPT,
    writable=("geometryOrder", "geometryClassname"),
    required=("geometryOrder", "geometryClassname"),
    includes=("SpaceGroup",),
    search=("geometryClassname",),
    sort="geometryOrder",
)

imagers = Noun(
    table="Imager",
    path="imagers",
    area="lookups",
    doc="A machine that keeps plates and takes pictures of them",
    level=Level.LOOKUP,
    read=Permission.IMAGERS_READ,
    write=Permission.IMAGERS_WRITE,
    actions=KEPT,
    writable=("name", "temperature", "serial", "capacity"),
    required=("name",),
    search=("name", "serial"),
    sort="name",
    units={"temperature": "°C"},
)

inspection_types = Noun(
    table="InspectionType",
    path="inspection-types",
    area="lookups",
    doc="A kind of inspection, as by visible or ultraviolet light",
    level=Level.LOOKUP,
    read=Permission.INSPECTION_TYPES_READ,
    write=Permission.INSPECTION_TYPES_WRITE,
    actions=KEPT,
    writable=("name",),
    required=("name",),
    search=("name",),
    sort="name",
)

processing_pipeline_categories = Noun(
    table="ProcessingPipelineCategory",
    path="processing-pipeline-categories",
    singular="category of pipelines",
    area="lookups",
    doc="A heading under which processing pipelines are shown",
    level=Level.LOOKUP,
    read=Permission.PROCESSING_PIPELINE_CATEGORIES_READ,
    write=Permission.PROCESSING_PIPELINE_CATEGORIES_WRITE,
    actions=KEPT,
    writable=("name",),
    required=("name",),
    search=("name",),
    sort="name",
)

processing_pipelines = Noun(
    table="ProcessingPipeline",
    path="processing-pipelines",
    area="lookups",
    doc="A way of processing that a site offers, by itself or when it is asked for",
    level=Level.LOOKUP,
    read=Permission.PROCESSING_PIPELINES_READ,
    write=Permission.PROCESSING_PIPELINES_WRITE,
    actions=KEPT,
    writable=(
        "name", "discipline", "processingPipelineCategoryId", "pipelineStatus", "reprocessing",
    ),
    required=("name", "discipline"),
    includes=("ProcessingPipelineCategory",),
    search=("name",),
    sort="name",
)  # fmt: skip

NOUNS = (
    sample_types,
    component_sub_types,
    concentration_types,
    purification_columns,
    space_groups,
    geometry_classnames,
    imagers,
    inspection_types,
    processing_pipeline_categories,
    processing_pipelines,
)
