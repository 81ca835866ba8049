"""Grants of `POST /auth/token` for the secrets of service accounts and for personal tokens.

Nobody guesses 256 random bits, so that these are not held up after refusals as logins are: a
refusal costs one look into the database, and a victim cannot be kept out by others' refusals.
"""

import uuid
from dataclasses import replace

from pyispyb_auth.operations.access_tokens import AccessTokens
from pyispyb_auth.operations.audit import audit
from pyispyb_auth.operations.grants import Form, Grant, Granted, GrantRefused, needed
from pyispyb_auth.operations.logins import Tokens
from pyispyb_auth.operations.opaque import Keeper
from pyispyb_auth.operations.personal_tokens import PersonalTokens
from pyispyb_auth.operations.service_secrets import ServiceSecrets
from pyispyb_auth.providers import Identity

TOKEN_EXCHANGE = "urn:ietf:params:oauth:grant-type:token-exchange"  # noqa: S105
ACCESS_TOKEN = "urn:ietf:params:oauth:token-type:access_token"  # noqa: S105
# Of RFC 8693 what a personal token has no use for: nobody acts for another here.
NOT_TAKEN = ("resource", "audience", "actor_token", "actor_token_type")


def client_credentials_grant(secrets: ServiceSecrets, access_tokens: AccessTokens) -> Grant:
    """`client_credentials`: an access token of a service account, and no refresh token."""

    def grant(form: Form) -> Granted:
        login, secret = needed(form, "client_id"), needed(form, "client_secret")
        identity = secrets.prove(login, secret)
        if identity is None:
            audit("login refused", login=login, provider=secrets.name, refused=True)
            raise GrantRefused("invalid_client", "client_id or client_secret is wrong")
        return _issued(_narrowed(identity, form), secrets, access_tokens)

    return grant


def token_exchange_grant(personal: PersonalTokens, access_tokens: AccessTokens) -> Grant:
    """Token exchange (RFC 8693): an access token for a personal access token."""

    def grant(form: Form) -> Granted:
        presented = needed(form, "subject_token")
        for name in ("subject_token_type", "requested_token_type"):
            given = needed(form, name) if name.startswith("subject") else form.get(name)
            if given not in {None, "", ACCESS_TOKEN}:
                raise GrantRefused("invalid_request", f"{name}: only {ACCESS_TOKEN}")
        for name in NOT_TAKEN:
            if form.get(name):
                error = "invalid_target" if name in {"resource", "audience"} else "invalid_request"
                raise GrantRefused(error, f"{name} is not taken")
        identity = personal.prove(None, presented)
        if identity is None:
            audit("login refused", provider=personal.name, refused=True)
            raise GrantRefused("invalid_grant", "this personal token is unknown, or has ended")
        granted = _issued(_narrowed(identity, form), personal, access_tokens)
        return replace(granted, more={**granted.more, "issued_token_type": ACCESS_TOKEN})

    return grant


def _narrowed(identity: Identity, form: Form) -> Identity:
    """With the scope that is asked for, where that lies in what it has. Raises GrantRefused."""
    asked = form.get("scope", "").split()
    held = str(identity.claims["scope"]).split()
    if not asked:
        return identity
    if not set(asked) <= set(held):
        raise GrantRefused("invalid_scope", f"at most: {' '.join(held)}")
    return replace(identity, claims={**identity.claims, "scope": " ".join(sorted(set(asked)))})


def _issued(identity: Identity, keeper: Keeper, access_tokens: AccessTokens) -> Granted:
    sid = str(uuid.uuid4())
    pat = identity.claims.get("pat")
    audit("logged in", login=identity.login, provider=keeper.name, sid=sid, pat=pat)
    life = access_tokens.life_of(identity)
    tokens = Tokens(access_tokens.sign(identity, sid), None, life, identity.login)
    return Granted(tokens, {"scope": identity.claims["scope"]})
