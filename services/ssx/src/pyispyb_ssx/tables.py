"""The tables of ssx: runs, their batches, and the totals that are kept as batches come in."""

from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import mysql

from pyispyb_chassis import portable as portable  # how texts compare on SQLite
from pyispyb_chassis.links.table import link_table
from pyispyb_chassis.nouns.ledger import Ledger

EXPERIMENT_TYPES = ("Serial Fixed", "Serial Jet")
STATES = ("open", "closed")
CELL = ("a", "b", "c", "alpha", "beta", "gamma")
MARIADB: dict[str, Any] = {"mysql_engine": "InnoDB", "mysql_charset": "utf8mb4"}
_FRAME = sa.LargeBinary().with_variant(mysql.MEDIUMBLOB(), "mysql", "mariadb")


@dataclass(frozen=True, slots=True)
class Tables:
    """All that ssx reads and writes; the same on SQLite and MariaDB, times in UTC."""

    metadata: sa.MetaData
    run: sa.Table
    total: sa.Table
    cells: sa.Table
    batch: sa.Table
    writer: sa.Table
    ledger: Ledger
    link: sa.Table


def _tables() -> Tables:
    metadata = sa.MetaData()
    run = sa.Table(
        "Run",
        metadata,
        sa.Column("runId", sa.Integer, primary_key=True),
        sa.Column("proposalId", sa.Integer, nullable=False, index=True),
        sa.Column("sessionId", sa.Integer, nullable=False, index=True),
        sa.Column("beamLineName", sa.String(45), nullable=True, index=True),
        sa.Column("state", sa.Enum(*STATES), nullable=False),
        sa.Column("login", sa.String(255), nullable=False),
        sa.Column("issuer", sa.String(255), nullable=False),
        sa.Column("startTime", sa.DateTime, nullable=False),
        sa.Column("endTime", sa.DateTime, nullable=True),
        sa.Column("name", sa.String(255), nullable=True),
        sa.Column("comments", sa.String(1024), nullable=True),
        sa.Column("experimentType", sa.Enum(*EXPERIMENT_TYPES), nullable=True),
        sa.Column("numberOfImages", sa.Integer, nullable=True),
        sa.Column("exposureTime", sa.Double, nullable=True),
        sa.Column("wavelength", sa.Double, nullable=True),
        sa.Column("detectorDistance", sa.Double, nullable=True),
        sa.Column("transmission", sa.Double, nullable=True),
        sa.Column("imageDirectory", sa.String(255), nullable=True),
        sa.Column("imagePrefix", sa.String(100), nullable=True),
        **MARIADB,
    )
    # Apart from Run, so that batches of one run queue up at one small row, and only at its end.
    total = sa.Table(
        "RunTotal",
        metadata,
        sa.Column("runId", sa.Integer, sa.ForeignKey("Run.runId"), primary_key=True),
        sa.Column("batches", sa.Integer, nullable=False),
        sa.Column("images", sa.Integer, nullable=False),
        sa.Column("hits", sa.Integer, nullable=False),
        sa.Column("indexed", sa.Integer, nullable=False),
        sa.Column("lattices", sa.Integer, nullable=False),
        **MARIADB,
    )
    cells = sa.Table(
        "RunCell",
        metadata,
        sa.Column("runId", sa.Integer, sa.ForeignKey("Run.runId"), primary_key=True),
        sa.Column("spaceGroup", sa.String(45), primary_key=True),  # "" where none was said
        sa.Column("lattices", sa.Integer, nullable=False),
        *[sa.Column(f"sum_{name}", sa.Double, nullable=False) for name in CELL],
        *[sa.Column(f"squares_{name}", sa.Double, nullable=False) for name in CELL],
        **MARIADB,
    )
    batch = sa.Table(
        "Batch",
        metadata,
        sa.Column("runId", sa.Integer, sa.ForeignKey("Run.runId"), primary_key=True),
        sa.Column("n", sa.Integer, primary_key=True),
        sa.Column("digest", sa.BINARY(32), nullable=False),
        sa.Column("images", sa.Integer, nullable=False),
        sa.Column("hits", sa.Integer, nullable=False),
        sa.Column("indexed", sa.Integer, nullable=False),
        sa.Column("lattices", sa.Integer, nullable=False),
        sa.Column("firstImage", sa.Integer, nullable=False),
        sa.Column("lastImage", sa.Integer, nullable=False),
        sa.Column("imageNumbers", _FRAME, nullable=True),  # null where there is no gap
        sa.Column("frame", _FRAME, nullable=False),
        sa.Column("login", sa.String(255), nullable=False),
        sa.Column("time", sa.DateTime, nullable=False),
        sa.Index("Batch_range", "runId", "firstImage", "lastImage"),
        **MARIADB,
    )
    # Who was found to be allowed to write a run, so that a batch need not wait for core.
    writer = sa.Table(
        "RunWriter",
        metadata,
        sa.Column("runId", sa.Integer, sa.ForeignKey("Run.runId"), primary_key=True),
        sa.Column("caller", sa.String(64), primary_key=True),
        sa.Column("verifiedAt", sa.DateTime, nullable=False),
        **MARIADB,
    )
    ledger, link = Ledger(metadata), link_table(metadata)
    return Tables(metadata, run, total, cells, batch, writer, ledger, link)


TABLES = _tables()
