"""Workflows of a beamline and what their steps found, where a site has tables for them."""

from pyispyb_chassis.nouns.noun import KEPT, Noun
from pyispyb_chassis.permissions import Permission
from pyispyb_core.rules import Level

workflows = Noun(
    table="Workflow",
    path="workflows",
    area="collections",
    doc="One run of a beamline's workflow, as a mesh scan; some sites have them",
    level=Level.DATA,
    named_by=("datacollection-groups.workflowId",),
    read=Permission.WORKFLOWS_READ,
    write=Permission.WORKFLOWS_WRITE,
    actions=KEPT,
    writable=(
        "workflowTitle", "workflowType", "workflowTypeId", "comments", "status",
        "resultFilePath", "logFilePath",
    ),
    includes=("DataCollectionGroup", "WorkflowStep", "WorkflowMesh"),
    sort="-workflowId",
    stamps={"recordTimeStamp": "write"},
)  # fmt: skip

workflow_steps = Noun(
    table="WorkflowStep",
    path="workflow-steps",
    area="collections",
    doc="A step of a workflow: its state, and the files that it left; some sites have them",
    level=Level.DATA,
    belongs_to=("workflowId",),
    read=Permission.WORKFLOW_STEPS_READ,
    write=Permission.WORKFLOW_STEPS_WRITE,
    actions=KEPT,
    writable=(
        "workflowId", "type", "status", "folderPath", "imageResultFilePath",
        "htmlResultFilePath", "resultFilePath", "comments", "crystalSizeX", "crystalSizeY",
        "crystalSizeZ", "maxDozorScore",
    ),
    includes=("Workflow",),
    sort="-workflowStepId",
    stamps={"recordTimeStamp": "write"},
)  # fmt: skip

workflow_meshes = Noun(
    table="WorkflowMesh",
    path="workflow-meshes",
    singular="workflow-mesh",
    area="collections",
    doc="What a mesh scan of a workflow found, and where it was best; some sites have them",
    level=Level.DATA,
    belongs_to=("workflowId",),
    read=Permission.WORKFLOW_MESHES_READ,
    write=Permission.WORKFLOW_MESHES_WRITE,
    actions=KEPT,
    writable=(
        "workflowId", "bestPositionId", "bestImageId", "value1", "value2", "value3", "value4",
        "cartographyPath",
    ),
    includes=("Workflow", "MotorPosition", "Image"),
    sort="-workflowMeshId",
    stamps={"recordTimeStamp": "write"},
)  # fmt: skip

NOUNS = (workflows, workflow_steps, workflow_meshes)
