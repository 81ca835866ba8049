"""What of ISPyB the package `ispyb` does not map and some sites have: their workflows.

The names are those of the sites' databases. Core makes none of these tables; it serves them where
they are.
"""

import sqlalchemy as sa

TABLES = ("Workflow", "WorkflowStep", "WorkflowMesh")
COLUMNS = {"DataCollectionGroup": ("workflowId",)}
NAMES = frozenset((*TABLES, *(f"{table}.{name}" for table in COLUMNS for name in COLUMNS[table])))


def with_beyond(package: sa.MetaData) -> sa.MetaData:
    """The tables of the package, and these beside them."""
    made = sa.MetaData()
    for table in package.tables.values():
        table.to_metadata(made)
    sa.Table(
        "Workflow",
        made,
        sa.Column("workflowId", sa.Integer, primary_key=True),
        sa.Column("workflowTitle", sa.String(255)),
        sa.Column("workflowType", sa.String(255)),
        sa.Column("workflowTypeId", sa.Integer),
        sa.Column("comments", sa.String(1024)),
        sa.Column("status", sa.String(255)),
        sa.Column("resultFilePath", sa.String(255)),
        sa.Column("logFilePath", sa.String(255)),
        sa.Column("recordTimeStamp", sa.DateTime),
    )
    sa.Table(
        "WorkflowStep",
        made,
        sa.Column("workflowStepId", sa.Integer, primary_key=True),
        sa.Column("workflowId", sa.Integer, sa.ForeignKey("Workflow.workflowId"), nullable=False),
        sa.Column("type", sa.String(45)),
        sa.Column("status", sa.String(45)),
        sa.Column("folderPath", sa.String(1024)),
        sa.Column("imageResultFilePath", sa.String(1024)),
        sa.Column("htmlResultFilePath", sa.String(1024)),
        sa.Column("resultFilePath", sa.String(1024)),
        sa.Column("comments", sa.String(2048)),
        sa.Column("crystalSizeX", sa.String(45)),
        sa.Column("crystalSizeY", sa.String(45)),
        sa.Column("crystalSizeZ", sa.String(45)),
        sa.Column("maxDozorScore", sa.String(45)),
        sa.Column("recordTimeStamp", sa.DateTime),
        sa.Index("WorkflowStep_workflowId", "workflowId"),
    )
    sa.Table(
        "WorkflowMesh",
        made,
        sa.Column("workflowMeshId", sa.Integer, primary_key=True),
        sa.Column("workflowId", sa.Integer, sa.ForeignKey("Workflow.workflowId"), nullable=False),
        sa.Column("bestPositionId", sa.Integer, sa.ForeignKey("MotorPosition.motorPositionId")),
        sa.Column("bestImageId", sa.Integer, sa.ForeignKey("Image.imageId")),
        sa.Column("value1", sa.Double),
        sa.Column("value2", sa.Double),
        sa.Column("value3", sa.Double),
        sa.Column("value4", sa.Double),
        sa.Column("cartographyPath", sa.String(255)),
        sa.Column("recordTimeStamp", sa.DateTime),
        sa.Index("WorkflowMesh_workflowId", "workflowId"),
    )
    made.tables["DataCollectionGroup"].append_column(
        sa.Column("workflowId", sa.Integer, sa.ForeignKey("Workflow.workflowId"), index=True)
    )
    return made
