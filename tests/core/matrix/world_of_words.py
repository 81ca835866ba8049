"""The words that a site has agreed on: one row of each."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tests.core.matrix.world import World

# Table, key, and the column that `?search=` reads.
KINDS_OF_WORDS: dict[str, tuple[str, str, str | None]] = {
    "sample-types": ("BLSampleType", "blSampleTypeId", "name"),
    "component-sub-types": ("ComponentSubType", "componentSubTypeId", "name"),
    "concentration-types": ("ConcentrationType", "concentrationTypeId", "name"),
    "purification-columns": ("PurificationColumn", "purificationColumnId", "name"),
    "space-groups": ("SpaceGroup", "spaceGroupId", "spaceGroupShortName"),
    "geometry-classnames": ("GeometryClassname", "geometryClassnameId", "geometryClassname"),
    "imagers": ("Imager", "imagerId", "name"),
    "inspection-types": ("InspectionType", "inspectionTypeId", "name"),
    "processing-pipeline-categories": (
        "ProcessingPipelineCategory",
        "processingPipelineCategoryId",
        "name",
    ),
    "processing-pipelines": ("ProcessingPipeline", "processingPipelineId", "name"),
}
BODIES_OF_WORDS: dict[str, dict[str, Any]] = {
    "sample-types": {"name": "next"},
    "component-sub-types": {"name": "next"},
    "concentration-types": {"name": "next", "symbol": "M"},
    "purification-columns": {"name": "next"},
    "space-groups": {"spaceGroupNumber": 19, "spaceGroupShortName": "next"},
    "geometry-classnames": {"geometryOrder": 8, "geometryClassname": "next"},
    "imagers": {"name": "next"},
    "inspection-types": {"name": "next"},
    "processing-pipeline-categories": {"name": "next"},
    "processing-pipelines": {
        "name": "next",
        "discipline": "MX",
        "processingPipelineCategoryId": "@pipeline category",
    },
}


def add_lookups(world: World) -> None:
    """One of each."""
    world.add("sample type", "sample-types", name="Powder")
    world.add("component sub-type", "component-sub-types", name="Precipitant")
    world.add("buffer", "component-sub-types", name="Buffer")
    world.add("concentration type", "concentration-types", name="Molar", symbol="M")
    world.add("purification column", "purification-columns", name="Column")
    world.add("space group", "space-groups", spaceGroupNumber=19, spaceGroupShortName="P212121")
    world.add("geometry", "geometry-classnames", geometryOrder=1, geometryClassname="Orthorhombic")
    world.add("imager", "imagers", name="Imager")
    world.add("inspection type", "inspection-types", name="Visible light")
    world.add("pipeline category", "processing-pipeline-categories", name="Integration")
    world.add("pipeline", "processing-pipelines", name="Fast", discipline="MX")
