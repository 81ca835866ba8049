"""What auth keeps: logins, browsers on their way, accounts, what is revoked or was refused."""

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

service_account = sa.Table(
    "ServiceAccount",
    metadata,
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

service_secret = sa.Table(
    "ServiceSecret",
    metadata,
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

personal_token = sa.Table(
    "PersonalToken",
    metadata,
    sa.Column("tokenId", sa.String(36), primary_key=True),
    sa.Column("login", sa.String(255), nullable=False, index=True),
    sa.Column("name", sa.String(100), nullable=False),
    # One name once for each person: hashed, because databases compare letters each in their way.
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

revocation = sa.Table(
    "Revocation",
    metadata,
    sa.Column("revocationId", sa.Integer, primary_key=True),
    sa.Column("kind", sa.String(8), nullable=False),
    sa.Column("value", sa.String(255), nullable=False),
    sa.Column("notBefore", sa.BigInteger, nullable=False),
    sa.Column("expiresAt", sa.DateTime, nullable=False, index=True),
)

login_failure = sa.Table(
    "LoginFailure",
    metadata,
    sa.Column("hash", sa.String(64), primary_key=True),
    sa.Column("failures", sa.Double, nullable=False),
    sa.Column("failedAt", sa.Double, nullable=False),
    sa.Column("heldUntil", sa.Double, nullable=False),
    sa.Column("expiresAt", sa.DateTime, nullable=False, index=True),
)

known_address = sa.Table(
    "KnownAddress",
    metadata,
    sa.Column("hash", sa.String(64), primary_key=True),
    sa.Column("expiresAt", sa.DateTime, nullable=False, index=True),
)
