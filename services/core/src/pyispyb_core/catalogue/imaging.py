"""Plates that are looked at again and again: when, by which schedule, and what was marked."""

from pyispyb_chassis.nouns.noun import KEPT, Noun
from pyispyb_chassis.permissions import Permission
from pyispyb_core.rules import Level

schedules = Noun(
    table="Schedule",
    path="schedules",
    area="imaging",
    doc="A plan of a site by which containers are inspected",
    level=Level.LOOKUP,
    read=Permission.SCHEDULES_READ,
    write=Permission.SCHEDULES_WRITE,
    actions=KEPT,
    writable=("name",),
    required=("name",),
    includes=("ScheduleComponent",),
    search=("name",),
    sort="scheduleId",
)

schedule_components = Noun(
    table="ScheduleComponent",
    path="schedule-components",
    area="imaging",
    doc="One inspection of a schedule: so many hours after the start",
    level=Level.LOOKUP,
    read=Permission.SCHEDULE_COMPONENTS_READ,
    write=Permission.SCHEDULE_COMPONENTS_WRITE,
    actions=KEPT,
    writable=("scheduleId", "offset_hours", "inspectionTypeId"),
    includes=("Schedule",),
    sort="scheduleComponentId",
    units={"offset_hours": "h"},
)

container_inspections = Noun(
    table="ContainerInspection",
    path="container-inspections",
    area="imaging",
    doc="A look at a container: asked for, under way, or done",
    level=Level.PROPOSAL,
    belongs_to=("containerId",),
    read=Permission.CONTAINER_INSPECTIONS_READ,
    write=Permission.CONTAINER_INSPECTIONS_WRITE,
    actions=KEPT,
    writable=(
        "containerId", "inspectionTypeId", "imagerId", "temperature", "scheduleComponentid",
        "state", "priority", "manual", "scheduledTimeStamp", "completedTimeStamp",
    ),
    includes=("Container", "ScheduleComponent"),
    sort="-containerInspectionId",
    stamps={"blTimeStamp": "create"},
    units={"temperature": "°C"},
)  # fmt: skip

sample_positions = Noun(
    table="BLSamplePosition",
    path="sample-positions",
    area="samples",
    doc="A point that was marked on a sample, to dispense a drop on it say",
    level=Level.PROPOSAL,
    belongs_to=("blSampleId",),
    read=Permission.SAMPLE_POSITIONS_READ,
    write=Permission.SAMPLE_POSITIONS_WRITE,
    writable=("blSampleId", "posX", "posY", "posZ", "positionType"),
    includes=("BLSample",),
    sort="-blSamplePositionId",
    stamps={"recordTimeStamp": "create"},
)

NOUNS = (schedules, schedule_components, container_inspections, sample_positions)
