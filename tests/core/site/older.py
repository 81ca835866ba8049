"""A database of the year 2019: unsigned ids, texts in latin1, and none of what came later."""

import sqlalchemy as sa
from ispyb.sqlalchemy import Base
from sqlalchemy.dialects import mysql

from pyispyb_chassis.database import Database
from pyispyb_chassis.portable import fitted
from pyispyb_core.operations import schema
from pyispyb_core.tables import Tables

# What the collaboration added after that year, as far as the suite knows of it.
LATER_TABLES = frozenset(
    {
        "Atlas", "FoilHole", "GridSquare", "Tomogram", "TiltImageAlignment", "ParticlePicker",
        "ParticleClassification", "ParticleClassificationGroup", "CryoemInitialModel",
        "ParticleClassification_has_CryoemInitialModel", "XrayCentring", "XrayCentringResult",
        "DewarRegistry_has_Proposal", "GridImageMap", "RelativeIceThickness",
        "ExperimentType", "PurificationColumn", "ContainerType", "BLSampleType",
        "BLSampleImageAutoScoreClass", "BLSampleImageAutoScoreSchema",
        "BLSampleImage_has_AutoScoreClass", "AutoProcProgramMessage",
    }
)  # fmt: skip
LATER_COLUMNS = frozenset(
    {
        "BLSampleGroup.name", "DiffractionPlan.userPath", "DiffractionPlan.scanParameters",
        "DiffractionPlan.experimentTypeId", "DiffractionPlan.purificationColumnId",
        "DiffractionPlan.robotPlateTemperature", "DiffractionPlan.exposureTemperature",
        "DiffractionPlan.priority", "DiffractionPlan.collectionMode",
        "Protein.description", "Protein.hazardGroup", "Protein.containmentLevel",
        "Container.priorityPipelineId", "Container.currentDewarId", "Container.parentContainerId",
        "Container.parentContainerLocation", "Container.source", "Container.containerTypeId",
        "Container.experimentTypeId", "Container.scLocationUpdated",
        "Dewar.extra", "Shipping.extra", "Shipping.source", "Dewar.source",
        "DataCollection.dataCollectionPlanId", "DataCollection.imageSizeX2",
        "DewarRegistry.dewarRegistryId", "DewarRegistry.type", "Dewar.dewarRegistryId",
        "DewarRegistry.manufacturerSerialNumber",
        "Person.cache", "RobotAction.resultFilePath", "BLSession.purgedProcessedData",
        "BLSession.icatId",
    }
)  # fmt: skip


def older(known: sa.MetaData) -> sa.MetaData:
    """The tables of that year."""
    made = sa.MetaData()
    for table in known.tables.values():
        if table.name not in LATER_TABLES:
            sa.Table(
                str(table.name),
                made,
                *[_older(column) for column in table.columns if _was_there(column)],
                mariadb_default_charset="latin1",
                mariadb_engine="InnoDB",
            )
    return made


def _was_there(column: sa.Column[object]) -> bool:
    return f"{column.table.name}.{column.name}" not in LATER_COLUMNS


def _older(column: sa.Column[object]) -> sa.Column[object]:
    kind = column.type
    keys = [
        sa.ForeignKey(key.target_fullname, ondelete=key.ondelete)
        for key in column.foreign_keys
        if key.target_fullname.partition(".")[0] not in LATER_TABLES
    ]
    is_id = isinstance(kind, mysql.INTEGER) and (column.primary_key or column.foreign_keys)
    # In that year a registered dewar was known by its code alone.
    by_code = column.table.name == "DewarRegistry" and column.name == "facilityCode"
    return sa.Column(
        column.name,
        mysql.INTEGER(unsigned=True) if is_id else kind,
        *keys,
        primary_key=column.primary_key or by_code,
        nullable=column.nullable,
        server_default=None if column.computed is not None else column.server_default,
    )


def make_older(database: Database, own_schema: str) -> Tables:
    """Make that year's tables, and core's own; gives the tables as they are there."""
    tables = schema.tables_of(database, own_schema)
    made = older(fitted(Base.metadata, sqlite=False))
    with database.write_engine.begin() as connection:
        made.create_all(connection)
        connection.execute(sa.schema.CreateSchema(own_schema, if_not_exists=True))
        tables.metadata.create_all(connection, tables=list(tables.own))
    return Tables(made, tables.known, tables.ledger, tables.link, tables.turns, sqlite=False)
