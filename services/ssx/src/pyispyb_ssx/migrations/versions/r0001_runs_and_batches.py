"""Runs, their batches and totals, and the ledger of writes."""

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import mysql

revision = "0001"
down_revision = None

MARIADB: dict[str, Any] = {"mysql_engine": "InnoDB", "mysql_charset": "utf8mb4"}
FRAME = sa.LargeBinary().with_variant(mysql.MEDIUMBLOB(), "mysql", "mariadb")
CELL = ("a", "b", "c", "alpha", "beta", "gamma")


def upgrade() -> None:
    """Make the first tables."""
    op.create_table(
        "Run",
        sa.Column("runId", sa.Integer, primary_key=True),
        sa.Column("proposalId", sa.Integer, nullable=False, index=True),
        sa.Column("sessionId", sa.Integer, nullable=False, index=True),
        sa.Column("beamLineName", sa.String(45), nullable=True, index=True),
        sa.Column("state", sa.Enum("open", "closed"), nullable=False),
        sa.Column("login", sa.String(255), nullable=False),
        sa.Column("issuer", sa.String(255), nullable=False),
        sa.Column("startTime", sa.DateTime, nullable=False),
        sa.Column("endTime", sa.DateTime, nullable=True),
        sa.Column("name", sa.String(255), nullable=True),
        sa.Column("comments", sa.String(1024), nullable=True),
        sa.Column("experimentType", sa.Enum("Serial Fixed", "Serial Jet"), nullable=True),
        sa.Column("numberOfImages", sa.Integer, nullable=True),
        sa.Column("exposureTime", sa.Double, nullable=True),
        sa.Column("wavelength", sa.Double, nullable=True),
        sa.Column("detectorDistance", sa.Double, nullable=True),
        sa.Column("transmission", sa.Double, nullable=True),
        sa.Column("imageDirectory", sa.String(255), nullable=True),
        sa.Column("imagePrefix", sa.String(100), nullable=True),
        **MARIADB,
    )
    op.create_table(
        "RunTotal",
        sa.Column("runId", sa.Integer, sa.ForeignKey("Run.runId"), primary_key=True),
        sa.Column("batches", sa.Integer, nullable=False),
        sa.Column("images", sa.Integer, nullable=False),
        sa.Column("hits", sa.Integer, nullable=False),
        sa.Column("indexed", sa.Integer, nullable=False),
        sa.Column("lattices", sa.Integer, nullable=False),
        **MARIADB,
    )
    op.create_table(
        "RunCell",
        sa.Column("runId", sa.Integer, sa.ForeignKey("Run.runId"), primary_key=True),
        sa.Column("spaceGroup", sa.String(45), primary_key=True),
        sa.Column("lattices", sa.Integer, nullable=False),
        *[sa.Column(f"sum_{name}", sa.Double, nullable=False) for name in CELL],
        *[sa.Column(f"squares_{name}", sa.Double, nullable=False) for name in CELL],
        **MARIADB,
    )
    op.create_table(
        "Batch",
        sa.Column("runId", sa.Integer, sa.ForeignKey("Run.runId"), primary_key=True),
        sa.Column("n", sa.Integer, primary_key=True),
        sa.Column("digest", sa.BINARY(32), nullable=False),
        sa.Column("images", sa.Integer, nullable=False),
        sa.Column("hits", sa.Integer, nullable=False),
        sa.Column("indexed", sa.Integer, nullable=False),
        sa.Column("lattices", sa.Integer, nullable=False),
        sa.Column("firstImage", sa.Integer, nullable=False),
        sa.Column("lastImage", sa.Integer, nullable=False),
        sa.Column("imageNumbers", FRAME, nullable=True),
        sa.Column("frame", FRAME, nullable=False),
        sa.Column("login", sa.String(255), nullable=False),
        sa.Column("time", sa.DateTime, nullable=False),
        sa.Index("Batch_range", "runId", "firstImage", "lastImage"),
        **MARIADB,
    )
    op.create_table(
        "RunWriter",
        sa.Column("runId", sa.Integer, sa.ForeignKey("Run.runId"), primary_key=True),
        sa.Column("caller", sa.String(64), primary_key=True),
        sa.Column("verifiedAt", sa.DateTime, nullable=False),
        **MARIADB,
    )
    op.create_table(
        "Change",
        sa.Column("changeId", sa.Integer, primary_key=True),
        sa.Column("noun", sa.String(64), nullable=False),
        sa.Column("rowId", sa.String(64), nullable=False),
        sa.Column("action", sa.String(8), nullable=False),
        sa.Column("login", sa.String(255), nullable=False),
        sa.Column("fields", sa.Text, nullable=False),
        sa.Column("time", sa.DateTime, nullable=False, index=True),
        sa.Column("requestId", sa.String(64), nullable=False),
        sa.Index("Change_of_row", "noun", "rowId"),
        **MARIADB,
    )
    op.create_table(
        "IdempotentAnswer",
        sa.Column("scope", sa.String(64), primary_key=True),
        sa.Column("content", sa.String(64), nullable=False),
        sa.Column("rowId", sa.String(64), nullable=True),
        sa.Column("time", sa.DateTime, nullable=False, index=True),
        **MARIADB,
    )


def downgrade() -> None:
    """Take the tables away, with everything in them."""
    for table in (
        *("IdempotentAnswer", "Change", "RunWriter", "Batch", "RunCell", "RunTotal", "Run"),
    ):
        op.drop_table(table)
