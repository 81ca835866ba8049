"""What auth keeps: the families of refresh tokens, one a login, the tokens of each, hashed, and
the browsers that are on their way to log in.
"""

import sqlalchemy as sa

metadata = sa.MetaData()

refresh_family = sa.Table(
    "RefreshFamily",
    metadata,
    sa.Column("sid", sa.String(36), primary_key=True),
    sa.Column("login", sa.String(255), nullable=False, index=True),
    sa.Column("provider", sa.String(64), nullable=False),
    sa.Column("claims", sa.Text, nullable=False),
    sa.Column("proof", sa.String(64), nullable=True),
    sa.Column("createdAt", sa.DateTime, nullable=False),
    sa.Column("confirmedAt", sa.DateTime, nullable=True),
    sa.Column("expiresAt", sa.DateTime, nullable=False, index=True),
    sa.Column("endedAt", sa.DateTime, nullable=True),
    sa.Column("endedBy", sa.String(16), nullable=True),
)

refresh_token = sa.Table(
    "RefreshToken",
    metadata,
    sa.Column("hash", sa.String(64), primary_key=True),
    sa.Column(
        "sid",
        sa.String(36),
        sa.ForeignKey("RefreshFamily.sid", ondelete="CASCADE"),
        nullable=False,
        index=True,
    ),
    sa.Column("parent", sa.String(64), nullable=True, index=True),
    sa.Column("issuedAt", sa.DateTime, nullable=False),
    sa.Column("usedAt", sa.DateTime, nullable=True),
)

browser_login = sa.Table(
    "BrowserLogin",
    metadata,
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
