"""Personal access tokens: for people who cannot script a browser login, narrower than they are."""

import json
import logging
import uuid
from collections.abc import Mapping
from datetime import timedelta
from typing import Annotated, Any

import sqlalchemy as sa
from pydantic import BaseModel, ConfigDict, Field

from pyispyb_auth.operations.access_tokens import AccessTokens
from pyispyb_auth.operations.audit import audit
from pyispyb_auth.operations.narrowing import Ahead, Beamlines, Scope, now, told
from pyispyb_auth.operations.opaque import PERSONAL, hash_of, new_secret
from pyispyb_auth.operations.revoking import Revocations
from pyispyb_auth.providers import Identity, Provider
from pyispyb_auth.settings import AuthSettings
from pyispyb_auth.tables import personal_token, refresh_family
from pyispyb_chassis.database import Database
from pyispyb_chassis.errors import (
    Conflict,
    Forbidden,
    NotFound,
    ServiceError,
    Unavailable,
    Unprocessable,
)
from pyispyb_chassis.principal import Principal

log = logging.getLogger(__name__)

NAME = "personal-tokens"
MOST_PER_PERSON = 50
USE_IS_NOTED_EVERY = timedelta(minutes=1)


class NewPersonalToken(BaseModel):
    """A personal access token to make: what for, what it may do, until when."""

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)

    name: Annotated[str, Field(pattern=r"^\S(.{0,98}\S)?$", description="one of its kind for you")]
    scope: Scope
    beamlines: Beamlines | None = Field(
        None, description="staff of no others by this token; null: of all that you are"
    )
    expiresAt: Ahead  # noqa: N815


class PersonalTokenAnswer(BaseModel):
    """A personal access token, without itself."""

    tokenId: str  # noqa: N815
    login: str
    name: str
    scope: list[str]
    beamlines: list[str] | None
    createdAt: str  # noqa: N815
    expiresAt: str  # noqa: N815
    lastUsedAt: str | None  # noqa: N815


class NewPersonalTokenAnswer(PersonalTokenAnswer):
    """A personal access token, which is shown this once."""

    token: str


class PersonalTokens:
    """All that is done with personal access tokens; the Keeper of them besides."""

    name = NAME
    prefix = PERSONAL
    login_seconds = 0

    def __init__(
        self,
        database: Database,
        settings: AuthSettings,
        providers: Mapping[str, Provider],
        access_tokens: AccessTokens,
        revocations: Revocations,
    ) -> None:
        self._database = database
        self._revocations = revocations
        self._days = settings.personal_token_days
        self._outage = timedelta(seconds=settings.outage_seconds)
        self._providers = providers
        self._access_tokens = access_tokens

    def create(self, new: NewPersonalToken, caller: Principal) -> dict[str, Any]:
        """A new token of the caller's, shown this once.

        Raises Forbidden for a caller who is narrowed already or has not logged in at a provider,
        Unprocessable for a date too far away, Conflict for a name twice or too many tokens.
        """
        refuse_narrowed(caller)
        moment = now()
        if new.expiresAt > moment + timedelta(days=self._days):
            fault = ("expiresAt", f"at most {self._days} days from now")
            raise Unprocessable("the body has faults", errors=[fault])
        secret, token_id = new_secret(PERSONAL), str(uuid.uuid4())
        of_login = personal_token.c.login == caller.login
        with self._database.writing() as connection:
            family = self._login_behind(connection, caller)
            over = personal_token.delete().where(of_login, personal_token.c.expiresAt <= moment)
            connection.execute(over)
            count = sa.select(sa.func.count()).select_from(personal_token).where(of_login)
            if connection.execute(count).scalar_one() >= MOST_PER_PERSON:
                raise Conflict(f"at most {MOST_PER_PERSON} personal tokens; revoke one first")
            key = _name_key(caller.login, new.name)
            same = sa.select(personal_token.c.tokenId).where(personal_token.c.nameKey == key)
            if connection.execute(same).first() is not None:
                raise Conflict(
                    "this name is taken", errors=[("name", "a personal token of yours has it")]
                )
            connection.execute(
                personal_token.insert().values(
                    tokenId=token_id,
                    login=caller.login,
                    name=new.name,
                    nameKey=key,
                    scope=json.dumps(new.scope),
                    beamlines=None if new.beamlines is None else json.dumps(new.beamlines),
                    hash=hash_of(secret),
                    provider=family.provider,
                    claims=family.claims,
                    proof=family.proof,
                    createdAt=moment,
                    confirmedAt=moment,
                    expiresAt=new.expiresAt,
                )
            )
            made = sa.select(personal_token).where(personal_token.c.tokenId == token_id)
            shown = _shown(connection.execute(made).one())
        audit("personal token created", login=caller.login, pat=token_id, scope=new.scope)
        return {**shown, "token": secret}

    def all(self, login: str, caller: Principal, *, administers: bool) -> list[dict[str, Any]]:
        """The tokens of a person, by their age. Raises Forbidden for another's."""
        refuse_narrowed(caller)
        if login != caller.login and not administers:
            raise Forbidden("the tokens of others are for administrators")
        statement = (
            sa.select(personal_token)
            .where(personal_token.c.login == login)
            .order_by(personal_token.c.createdAt, personal_token.c.tokenId)
        )
        with self._database.reading() as connection:
            rows = connection.execute(statement).all()
        return [_shown(row) for row in rows if row.login == login]

    def revoke(self, token_id: str, caller: Principal, *, administers: bool) -> None:
        """End a token at once. Raises NotFound for another's, unless the caller administers."""
        refuse_narrowed(caller)
        this = personal_token.c.tokenId == token_id
        with self._database.writing() as connection:
            owner = connection.execute(sa.select(personal_token.c.login).where(this)).scalar()
            if owner is None or (owner != caller.login and not administers):
                raise NotFound("no such personal token")
            connection.execute(personal_token.delete().where(this))
            self._revocations.put(connection, "sid", token_id)
        audit("personal token revoked", login=owner, pat=token_id, by=caller.name)

    def prove(self, login: str | None, secret: str) -> Identity | None:
        """Whose token this is, narrowed as it says; a login must be theirs where one is said.

        It is found by its hash: who could steer the search through an index of hashes would have
        to know the secret already. Raises Unavailable where its provider has long been down.
        """
        moment = now()
        this = sa.select(personal_token).where(personal_token.c.hash == hash_of(secret))
        with self._database.reading() as connection:
            row = connection.execute(this).one_or_none()
        if row is None or row.expiresAt <= moment or login not in {None, row.login}:
            return None
        identity = self._still(row)
        if identity is None:
            gone = "personal token refused: its owner is gone"
            audit(gone, login=row.login, pat=row.tokenId, refused=True)
            return None
        return Identity(row.login, _narrowed(identity.claims, row), None, until=row.expiresAt)

    def still(self, proven: Identity) -> Identity | None:  # noqa: ARG002
        """A login by one is never refreshed: the token itself is what it goes on by."""
        return None

    def _login_behind(self, connection: sa.Connection, caller: Principal) -> sa.Row[Any]:
        """The login that the caller's access token is of: who has proven them, and by what."""
        sid = self._access_tokens.login_of(caller.token)
        of_sid = sa.select(refresh_family).where(refresh_family.c.sid == (sid or ""))
        family = connection.execute(of_sid).one_or_none()
        if family is None or family.endedAt is not None or family.login != caller.login:
            raise Forbidden("log in first: this needs a login that is in force")
        return family

    def _still(self, row: sa.Row[Any]) -> Identity | None:
        """What the provider says now; what it said last while it is down, for a while."""
        provider = self._providers.get(row.provider)
        if provider is None:
            return None
        proven = Identity(row.login, json.loads(row.claims), row.proof)
        try:
            said = provider.still(proven)
        except Unavailable:
            if now() - row.confirmedAt > self._outage:
                raise
            self._note_use(row)
            return proven
        # Somebody who has become a service account has no personal tokens.
        if said is None or said.claims.get("client_id") == row.login:
            return None
        self._note_use(row, claims=json.dumps(dict(said.claims)), confirmedAt=now())
        return said

    def _note_use(self, row: sa.Row[Any], **confirmed: Any) -> None:
        """Seldom written; that it cannot be written refuses nobody."""
        moment = now()
        if row.lastUsedAt is not None and moment - row.lastUsedAt < USE_IS_NOTED_EVERY:
            return
        this = personal_token.update().where(personal_token.c.tokenId == row.tokenId)
        values = {"lastUsedAt": moment, **confirmed}
        try:
            with self._database.writing() as connection:
                connection.execute(this.values(values))
        except ServiceError as error:
            told_of = {"pat": row.tokenId, "fault": error.detail}
            log.warning("the use of a personal token is not noted", extra=told_of)


def refuse_narrowed(caller: Principal) -> None:
    """Only an ordinary login has to do with personal tokens. Raises Forbidden."""
    if caller.service or caller.scope is not None or caller.only_beamlines is not None:
        raise Forbidden("this needs an ordinary login: a token that is narrowed itself will not do")


def _narrowed(claims: Mapping[str, Any], row: sa.Row[Any]) -> dict[str, Any]:
    """What the provider says of the owner, less what the token leaves out."""
    scope = set(json.loads(row.scope))
    said = claims.get("scope")
    if said is not None:
        scope &= set(said.split() if isinstance(said, str) else said)
    narrowed = {**claims, "scope": " ".join(sorted(scope)), "pat": row.tokenId}
    if row.beamlines is not None:
        narrowed["only_beamlines"] = json.loads(row.beamlines)
    return narrowed


def _name_key(login: str, name: str) -> str:
    return hash_of(f"{login}\n{name}")


def _shown(row: sa.Row[Any]) -> dict[str, Any]:
    return {
        "tokenId": row.tokenId,
        "login": row.login,
        "name": row.name,
        "scope": json.loads(row.scope),
        "beamlines": None if row.beamlines is None else json.loads(row.beamlines),
        "createdAt": told(row.createdAt),
        "expiresAt": told(row.expiresAt),
        "lastUsedAt": told(row.lastUsedAt),
    }
