"""What a login was proven with, so that a changed password ends it."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Add the column; logins from before go on without it."""
    op.add_column("RefreshFamily", sa.Column("proof", sa.String(64), nullable=True))
