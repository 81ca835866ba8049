"""Databases as sites have them: ISPyB's own with changes, and users with few grants."""

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlalchemy.engine import make_url
from tests.cast import Issuing
from tests.core.conftest import Core, write_configuration
from tests.core.site.older import make_older
from tests.peers.mariadb import MariaDb

from pyispyb_chassis.configuration import load
from pyispyb_chassis.database import Database
from pyispyb_core.app import create_app
from pyispyb_core.demo import make_demo
from pyispyb_core.operations import schema

ALL = "SELECT, INSERT, UPDATE, DELETE"


@dataclass(frozen=True, slots=True)
class Flavour:
    """What makes a site's database another than ours.

    `changes` are statements; `granted` are other grants than all, by table: "" for none. Who has
    any comes as a user of the server with just these.
    """

    name: str
    changes: tuple[str, ...] = ()
    granted: tuple[tuple[str, str], ...] = ()
    own: bool = True
    older: bool = False


NEWER = Flavour(
    "newer",
    (
        "ALTER TABLE Shipping ADD siteRemark varchar(20) NULL",
        "ALTER TABLE Container ADD siteNumber int NOT NULL",
        """CREATE TABLE SiteParcel (
            parcelId int PRIMARY KEY AUTO_INCREMENT, shippingId int(11),
            FOREIGN KEY (shippingId) REFERENCES Shipping (shippingId) ON DELETE CASCADE)""",
        """INSERT INTO SiteParcel (shippingId)
            SELECT shippingId FROM Shipping WHERE shippingName = 'MX1001-shipment'""",
    ),
)
OTHER = Flavour(
    "other",
    (
        "ALTER TABLE Dewar MODIFY isStorageDewar varchar(1) DEFAULT '0'",
        "ALTER TABLE Dewar MODIFY isStorageDewar enum('0','1') DEFAULT '0'",
        "ALTER TABLE Dewar MODIFY weight decimal(5,2) NULL",
        "ALTER TABLE Dewar MODIFY customsValue int unsigned NULL",
        "ALTER TABLE Shipping MODIFY shippingName varchar(30) NOT NULL",
        "ALTER TABLE Shipping MODIFY comments text CHARACTER SET latin1 NULL",
        "ALTER TABLE Shipping MODIFY physicalLocation varchar(50) CHARACTER SET utf8mb3 NULL",
    ),
)
UNREADABLE = Flavour(
    "unreadable",
    granted=(
        ("XFEFluorescenceSpectrum", ""),
        ("Movie", ""),
        ("Person", "SELECT (personId, login, givenName, familyName, title, laboratoryId)"),
    ),
)
READ_ONLY = Flavour(
    "read-only", granted=(("Shipping", "SELECT, UPDATE"), ("Protein", "SELECT, INSERT"))
)
WITHOUT_OWN = Flavour("without own tables", own=False)
OLDER = Flavour("older", older=True)
ZERO = "0000-00-00"
# What years of other programs leave behind; our own session would refuse to write it.
ODD = Flavour(
    "odd",
    (
        "SET SESSION sql_mode=''",
        "ALTER TABLE Shipping MODIFY creationDate datetime NOT NULL DEFAULT '0000-00-00 00:00:00'",
        "ALTER TABLE Dewar ADD storedIn year NULL, MODIFY weight decimal(5,2) NULL",
        "ALTER TABLE Container MODIFY containerStatus enum('in','out') NULL",
        "ALTER TABLE Container ADD siteFlag bit(1) NULL",
        f"""UPDATE Shipping SET creationDate = '{ZERO}', deliveryAgent_shippingDate = '{ZERO}',
            deliveryAgent_deliveryDate = '2026-00-00', readyByTime = '-01:30:00',
            closeTime = '25:00:00', extra = '{{"a": 1}}' WHERE shippingName = 'MX1001-shipment'""",
        "UPDATE Container SET containerStatus = 'neither' WHERE code = 'MX1001-puck-1'",
        "UPDATE Proposal SET externalId = UNHEX('00FF') WHERE proposalNumber = '1001'",
        "ALTER TABLE Dewar MODIFY extra longtext NULL",
        "UPDATE Dewar SET extra = '{not json' WHERE code = 'MX1001-dewar-1'",
        "UPDATE Dewar SET weight = 1.23 WHERE code = 'MX1001-dewar-1'",
    ),
)
PLAIN = Flavour("plain")
WITH_WORKFLOWS = Flavour(
    "with workflows",
    (
        """CREATE TABLE Workflow (
            workflowId int(11) unsigned PRIMARY KEY AUTO_INCREMENT, workflowTitle varchar(255),
            workflowType enum('Undefined','MeshScan','XrayCentering') DEFAULT 'Undefined',
            comments varchar(80) CHARACTER SET latin1, status varchar(255),
            logFilePath varchar(255), recordTimeStamp datetime)""",
        """CREATE TABLE WorkflowStep (
            workflowStepId int(11) PRIMARY KEY AUTO_INCREMENT, workflowId int(11) unsigned NOT NULL,
            type varchar(45), status varchar(45), folderPath varchar(1024),
            recordTimeStamp timestamp DEFAULT current_timestamp(),
            FOREIGN KEY (workflowId) REFERENCES Workflow (workflowId))""",
        "ALTER TABLE DataCollectionGroup ADD workflowId int(11) unsigned NULL",
        "INSERT INTO Workflow (workflowTitle, workflowType) VALUES ('of nobody', 'MeshScan')",
    ),
)
FLAVOURS = (PLAIN, WITH_WORKFLOWS, NEWER, OTHER, UNREADABLE, READ_ONLY, WITHOUT_OWN, OLDER, ODD)


def make_site(server: MariaDb, flavour: Flavour, folder: Path, issuing: Issuing) -> Core:
    """Core on a database of this flavour with the demo rows in it."""
    url = server.url()
    own_schema = f"own_{make_url(url).database}"
    database = Database(url)
    if flavour.older:
        tables = make_older(database, own_schema)
    else:
        schema.create(database, own_schema)
        tables = schema.tables_of(database, own_schema)
    now = datetime.now(ZoneInfo("Europe/Paris")).replace(tzinfo=None)
    with database.writing() as connection:
        make_demo(connection, tables.metadata, now)
    with database.write_engine.begin() as connection:
        for change in flavour.changes:
            connection.exec_driver_sql(change)
        if not flavour.own:
            connection.exec_driver_sql(f"DROP SCHEMA {own_schema}")
    database.dispose()
    served_by = _user(url, flavour, own_schema) if flavour.granted else url
    file = write_configuration(folder, served_by, issuing, own_schema)
    app = create_app(load(file, environ={}))
    return Core(app.test_client(), issuing, Database(url), tables, file)


def _user(url: str, flavour: Flavour, own_schema: str) -> str:
    """The URL of a new user of the server who may do what the flavour grants, table by table."""
    granted = dict(flavour.granted)
    ispyb = make_url(url)
    name = f"core_{ispyb.database}"
    engine = sa.create_engine(url)
    with engine.connect() as connection:
        run = connection.exec_driver_sql
        run(f"CREATE USER {name}@localhost")
        run(f"GRANT ALL ON {own_schema}.* TO {name}@localhost")
        for table in sa.inspect(connection).get_table_names():
            rights = granted.get(table, ALL)
            if rights:
                run(f"GRANT {rights} ON `{ispyb.database}`.`{table}` TO {name}@localhost")
    engine.dispose()
    return ispyb.set(username=name).render_as_string(hide_password=False)
