"""The secrets of service accounts: given, proven at a login, noted when they are used."""

import hmac
import json
import logging
import uuid
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from pyispyb_auth.operations.narrowing import now
from pyispyb_auth.operations.opaque import SERVICE, hash_of, new_secret
from pyispyb_auth.providers import Identity
from pyispyb_auth.tables import service_account, service_secret
from pyispyb_chassis.database import Database
from pyispyb_chassis.errors import ServiceError

log = logging.getLogger(__name__)

NAME = "service-accounts"
USE_IS_NOTED_EVERY = timedelta(minutes=1)


class ServiceSecrets:
    """The Keeper of what service accounts log in with."""

    name = NAME
    prefix = SERVICE
    login_seconds = None

    def __init__(self, database: Database) -> None:
        self._database = database

    def prove(self, login: str, secret: str) -> Identity | None:
        """The account whose living secret this is."""
        return self._identity(login, hash_of(secret))

    def still(self, proven: Identity) -> Identity | None:
        """The account as it is now, for as long as the secret lives that it was proven with."""
        return self._identity(proven.login, proven.proof or "")

    def _identity(self, login: str, presented: str) -> Identity | None:
        moment = now()
        with self._database.reading() as connection:
            account = account_of(connection, login)
            secrets = secrets_of(connection, login)
        held = [one for one in secrets if hmac.compare_digest(one.hash, presented)]
        usable = account is not None and account.enabled and lives(account, moment)
        if account is None or not usable or not held or not lives(held[0], moment):
            return None
        self._note_use(held[0], moment)
        claims = {
            "client_id": account.login,
            "scope": " ".join(json.loads(account.scope)),
            "beamlines": json.loads(account.beamlines),
        }
        return Identity(account.login, claims, held[0].hash, until=account.expiresAt)

    def _note_use(self, secret: sa.Row[Any], moment: datetime) -> None:
        """Seldom written; that it cannot be written keeps nobody from logging in."""
        if secret.lastUsedAt is not None and moment - secret.lastUsedAt < USE_IS_NOTED_EVERY:
            return
        account = service_account.c.login == secret.login
        this = service_secret.c.secretId == secret.secretId
        try:
            # In the order in which administrators lock them.
            with self._database.writing() as connection:
                connection.execute(
                    service_account.update().where(account).values(lastUsedAt=moment)
                )
                connection.execute(service_secret.update().where(this).values(lastUsedAt=moment))
        except ServiceError as error:
            told_of = {"account": secret.login, "fault": error.detail}
            log.warning("the use of a service account is not noted", extra=told_of)


def account_of(connection: Connection, login: str) -> sa.Row[Any] | None:
    """The account by this name."""
    statement = sa.select(service_account).where(service_account.c.login == login)
    row = connection.execute(statement).one_or_none()
    # A database may compare without case; a login is its letters.
    return row if row is not None and row.login == login else None


def secrets_of(connection: Connection, login: str) -> list[sa.Row[Any]]:
    """Its secrets, the newest first, which alone has no end of its own."""
    of_login = sa.select(service_secret).where(service_secret.c.login == login)
    rows = connection.execute(of_login).all()
    return sorted(rows, key=lambda row: (row.expiresAt is None, row.createdAt), reverse=True)


def give_secret(connection: Connection, login: str) -> str:
    """A new secret, to be shown once."""
    secret = new_secret(SERVICE)
    connection.execute(
        service_secret.insert().values(
            secretId=str(uuid.uuid4()), login=login, hash=hash_of(secret), createdAt=now()
        )
    )
    return secret


def lives(row: sa.Row[Any], moment: datetime) -> bool:
    """Whether the time of an account or of a secret is not over."""
    return row.expiresAt is None or row.expiresAt > moment
