"""The table of links, which each service keeps among its own."""

import sqlalchemy as sa


def link_table(metadata: sa.MetaData, *, schema: str | None = None, prefix: str = "") -> sa.Table:
    """One row a link: whose, to what, until when; its secret only as a hash. Times in UTC."""
    return sa.Table(
        f"{prefix}Link",
        metadata,
        sa.Column("linkId", sa.Integer, primary_key=True),
        sa.Column("digest", sa.String(64), nullable=False, unique=True),
        # A hash of issuer and login: databases compare texts without case.
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
        # How the service asks its sibling for the maker; only the link's own secret opens it.
        sa.Column("sealed", sa.Text, nullable=True),
        sa.Column("siblingLink", sa.Integer, nullable=True),
        schema=schema,
    )
