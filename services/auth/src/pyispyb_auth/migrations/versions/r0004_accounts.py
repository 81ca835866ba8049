"""Service accounts with their secrets, and personal access tokens."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Make the three tables."""
    op.create_table(
        "ServiceAccount",
        sa.Column("login", sa.String(45), primary_key=True),
        sa.Column("description", sa.String(255), nullable=False),
        sa.Column("scope", sa.Text, nullable=False),
        sa.Column("beamlines", sa.Text, nullable=False),
        sa.Column("enabled", sa.Boolean, nullable=False),
        sa.Column("createdBy", sa.String(255), nullable=False),
        sa.Column("createdAt", sa.DateTime, nullable=False),
        sa.Column("expiresAt", sa.DateTime, nullable=True),
        sa.Column("lastUsedAt", sa.DateTime, nullable=True),
    )
    op.create_table(
        "ServiceSecret",
        sa.Column("secretId", sa.String(36), primary_key=True),
        sa.Column(
            "login",
            sa.String(45),
            sa.ForeignKey("ServiceAccount.login", ondelete="CASCADE"),
            nullable=False,
            index=True,
        ),
        sa.Column("hash", sa.String(64), nullable=False),
        sa.Column("createdAt", sa.DateTime, nullable=False),
        sa.Column("expiresAt", sa.DateTime, nullable=True),
        sa.Column("lastUsedAt", sa.DateTime, nullable=True),
    )
    op.create_table(
        "PersonalToken",
        sa.Column("tokenId", sa.String(36), primary_key=True),
        sa.Column("login", sa.String(255), nullable=False, index=True),
        sa.Column("name", sa.String(100), nullable=False),
        sa.Column("nameKey", sa.String(64), nullable=False, unique=True),
        sa.Column("scope", sa.Text, nullable=False),
        sa.Column("beamlines", sa.Text, nullable=True),
        sa.Column("hash", sa.String(64), nullable=False, unique=True),
        sa.Column("provider", sa.String(64), nullable=False),
        sa.Column("claims", sa.Text, nullable=False),
        sa.Column("proof", sa.String(64), nullable=True),
        sa.Column("createdAt", sa.DateTime, nullable=False),
        sa.Column("confirmedAt", sa.DateTime, nullable=False),
        sa.Column("expiresAt", sa.DateTime, nullable=False),
        sa.Column("lastUsedAt", sa.DateTime, nullable=True),
    )
