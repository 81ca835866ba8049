"""What is revoked, how often logins were refused, and from where they succeeded."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "Revocation",
        sa.Column("revocationId", sa.Integer, primary_key=True),
        sa.Column("kind", sa.String(8), nullable=False),
        sa.Column("value", sa.String(255), nullable=False),
        sa.Column("notBefore", sa.BigInteger, nullable=False),
        sa.Column("expiresAt", sa.DateTime, nullable=False, index=True),
    )
    op.create_table(
        "LoginFailure",
        sa.Column("hash", sa.String(64), primary_key=True),
        sa.Column("failures", sa.Double, nullable=False),
        sa.Column("failedAt", sa.Double, nullable=False),
        sa.Column("heldUntil", sa.Double, nullable=False),
        sa.Column("expiresAt", sa.DateTime, nullable=False, index=True),
    )
    op.create_table(
        "KnownAddress",
        sa.Column("hash", sa.String(64), primary_key=True),
        sa.Column("expiresAt", sa.DateTime, nullable=False, index=True),
    )
