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
    includes=("Schedule", "InspectionType"),
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
    includes=("Container", "ScheduleComponent", "InspectionType", "Imager"),
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

positions = Noun(
    table="Position",
    path="positions",
    area="samples",
    doc="A point or a corner of a place on a sample",
    level=Level.PROPOSAL,
    named_by=("sub-samples.positionId", "sub-samples.position2Id"),
    read=Permission.POSITIONS_READ,
    write=Permission.POSITIONS_WRITE,
    writable=("posX", "posY", "posZ", "scale"),
    sort="-positionId",
    stamps={"recordTimeStamp": "write"},
)

motor_positions = Noun(
    table="MotorPosition",
    path="motor-positions",
    area="collections",
    doc="Where the motors stood as a collection began or ended, or an image was taken",
    level=Level.DATA,
    named_by=(
        "datacollections.startPositionId",
        "datacollections.endPositionId",
        "images.motorPositionId",
    ),
    read=Permission.MOTOR_POSITIONS_READ,
    write=Permission.MOTOR_POSITIONS_WRITE,
    actions=KEPT,
    writable=(
        "phiX", "phiY", "phiZ", "sampX", "sampY", "omega", "kappa", "phi", "chi", "gridIndexY",
        "gridIndexZ",
    ),
    sort="-motorPositionId",
    stamps={"recordTimeStamp": "write"},
    units={
        "phiX": "mm", "phiY": "mm", "phiZ": "mm", "sampX": "mm", "sampY": "mm",
        "omega": "°", "kappa": "°", "phi": "°", "chi": "°",
    },
)  # fmt: skip

NOUNS = (
    schedules,
    schedule_components,
    container_inspections,
    sample_positions,
    positions,
    motor_positions,
)
