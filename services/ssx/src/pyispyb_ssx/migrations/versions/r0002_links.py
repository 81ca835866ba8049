"""Links: one-time ones and feed keys."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Make their table."""
    op.create_table(
        "Link",
        sa.Column("linkId", sa.Integer, primary_key=True),
        sa.Column("digest", sa.String(64), nullable=False, unique=True),
        sa.Column("owner", sa.String(64), nullable=False, index=True),
        sa.Column("kind", sa.String(8), nullable=False),
        sa.Column("path", sa.Text, nullable=False),
        sa.Column("accept", sa.String(127), nullable=True),
        sa.Column("title", sa.String(255), nullable=True),
        sa.Column("caller", sa.Text, nullable=False),
        sa.Column("madeAt", sa.DateTime, nullable=False),
        sa.Column("expires", sa.DateTime, nullable=True),
        sa.Column("startedAt", sa.DateTime, nullable=True),
        sa.Column("startedFrom", sa.String(64), nullable=True),
        sa.Column("lastUsedAt", sa.DateTime, nullable=True),
        sa.Column("sealed", sa.Text, nullable=True),
        sa.Column("siblingLink", sa.Integer, nullable=True),
        mysql_engine="InnoDB",
        mysql_charset="utf8mb4",
    )


def downgrade() -> None:
    """Take it away, and every link with it."""
    op.drop_table("Link")
