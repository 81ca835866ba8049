"""Browsers on their way to log in; when a provider last said that a login is good."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Add the column, empty for the logins of before, and make the table."""
    op.add_column("RefreshFamily", sa.Column("confirmedAt", sa.DateTime, nullable=True))
    op.create_table(
        "BrowserLogin",
        sa.Column("state", sa.String(43), primary_key=True),
        sa.Column("cookie", sa.String(64), nullable=False),
        sa.Column("provider", sa.String(64), nullable=False),
        sa.Column("kept", sa.Text, nullable=False),
        sa.Column("returnTo", sa.Text, nullable=False),
        sa.Column("expiresAt", sa.DateTime, nullable=False, index=True),
        sa.Column("arrivedAt", sa.DateTime, nullable=True),
        sa.Column("code", sa.String(64), nullable=True, unique=True),
        sa.Column("identity", sa.Text, nullable=True),
    )
