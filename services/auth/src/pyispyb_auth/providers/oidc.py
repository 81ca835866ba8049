"""OpenID Connect: tokens that a client already has, and browsers by code with PKCE."""

import base64
import hashlib
import secrets
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, ClassVar, Literal
from urllib.parse import quote, urlencode

import jwt
from pydantic import Field, SecretStr
from pydantic import model_validator as validates

from pyispyb_auth.providers.provider import (
    Arrival,
    Departure,
    DistantSettings,
    Identity,
    Provider,
    Takes,
)
from pyispyb_auth.providers.published import Published
from pyispyb_auth.providers.reach import Reach, Unreachable
from pyispyb_auth.providers.web import Answer, SafeUrl, Web

CLOCK_SKEW_SECONDS = 5
# What only ID tokens carry: proof of a login for the client it was made for, and for no other.
ID_MARKS = frozenset({"nonce", "at_hash", "c_hash", "s_hash"})
ACCESS_TYPES = frozenset({"at+jwt", "application/at+jwt"})


class OidcSettings(DistantSettings):
    """[auth.providers.<name>] with kind = "oidc"."""

    kind: Literal["oidc"]
    issuer: SafeUrl = Field(description="letter for letter as it publishes it")
    client_id: str
    client_secret: SecretStr | None = Field(None, description="none for a public client")
    browser: bool = Field(default=True, description="people log in by a browser")
    scopes: tuple[str, ...] = ("openid", "profile", "email")
    audience: str | None = Field(None, description="access tokens for it are taken")
    id_tokens: bool = Field(default=False, description="ID tokens of `client_id` are taken")
    clients: tuple[str, ...] = Field((), description="only tokens that these clients were given")
    algorithms: tuple[Literal["RS256", "PS256", "ES256", "EdDSA"], ...] = (
        "RS256", "PS256", "ES256", "EdDSA",
    )  # fmt: skip
    login_claim: str = "preferred_username"
    groups_claim: str = "groups"
    groups: dict[str, str] = Field(
        default_factory=dict, description="a group of theirs = its name in the suite"
    )

    @validates(mode="after")
    def _takes_something(self) -> "OidcSettings":
        if not (self.browser or self.audience or self.id_tokens):
            raise ValueError("it takes nothing: give browser, audience or id_tokens")
        return self


class OidcProvider(Provider):
    """Proves by what an OpenID provider has signed."""

    settings_kind: ClassVar = OidcSettings

    def __init__(self, name: str, settings: OidcSettings) -> None:
        super().__init__(name, settings)
        self.refusal_seconds = settings.refusal_seconds
        self.login_seconds = settings.login_seconds
        taken: set[Takes] = {"browser"} if settings.browser else set()
        if settings.audience or settings.id_tokens:
            taken.add("token")
        self.takes = frozenset(taken)
        self._settings = settings
        self._web = Web(settings.timeout_seconds)
        self._published = Published(settings.issuer, self._web)
        self._reach = Reach(name, settings.timeout_seconds)

    def public_settings(self) -> Mapping[str, Any]:
        """With which a client gets a token by itself."""
        return {"issuer": self._settings.issuer, "clientId": self._settings.client_id}

    def fault(self) -> str | None:
        """One line where it did not answer last, else None."""
        return self._reach.fault()

    def recognises(self, token: str) -> bool:
        """Whether it says to be of this issuer."""
        try:
            said = jwt.decode(token, options={"verify_signature": False}).get("iss")
        except (jwt.PyJWTError, ValueError, RecursionError):
            return False
        return said == self._settings.issuer

    def prove_token(self, token: str) -> Identity | None:
        """Who a token is of, if it is of a form and for an audience that is taken."""
        return self._reach.ask(lambda: self._of_token(token))

    def depart(self, callback: str, state: str) -> Departure:
        """To the provider's authorization endpoint."""
        verifier, nonce = secrets.token_urlsafe(48), secrets.token_urlsafe(16)
        digest = hashlib.sha256(verifier.encode()).digest()
        asked = {
            "response_type": "code",
            "client_id": self._settings.client_id,
            "redirect_uri": callback,
            "scope": " ".join(self._settings.scopes),
            "state": state,
            "nonce": nonce,
            "code_challenge": base64.urlsafe_b64encode(digest).rstrip(b"=").decode(),
            "code_challenge_method": "S256",
        }
        url = self._reach.ask(lambda: self._published.needed("authorization_endpoint"))
        joint = "&" if "?" in url else "?"
        return Departure(f"{url}{joint}{urlencode(asked)}", {"verifier": verifier, "nonce": nonce})

    def arrive(self, arrival: Arrival) -> Identity | None:
        """Who the provider says came back, if it is the answer to what we asked."""
        code = arrival.query.get("code")
        # RFC 9207: an answer of another provider than the one that we sent them to.
        if not code or arrival.query.get("iss", self._settings.issuer) != self._settings.issuer:
            return None
        return self._reach.ask(lambda: self._of_code(code, arrival))

    def _of_code(self, code: str, arrival: Arrival) -> Identity | None:
        answer = self._redeemed(code, arrival)
        if answer.status == HTTPStatus.BAD_REQUEST:
            return None
        if answer.status != HTTPStatus.OK:
            raise Unreachable(f"the token endpoint answered {answer.status}")
        tokens = answer.json()
        claims = self._as_id_token(str(tokens.get("id_token")))
        if claims is None or claims.get("nonce") != arrival.kept["nonce"]:
            return None
        access = tokens.get("access_token")
        return self._identity(claims, access if isinstance(access, str) else None)

    def _redeemed(self, code: str, arrival: Arrival) -> Answer:
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": arrival.callback,
            "code_verifier": arrival.kept["verifier"],
        }
        client, secret = self._settings.client_id, self._settings.client_secret
        url = self._published.needed("token_endpoint")
        if secret is None:
            return self._web.post(url, data={**form, "client_id": client})
        word = secret.get_secret_value()
        methods = self._published.names("token_endpoint_auth_methods_supported")
        if methods and "client_secret_basic" not in methods:
            both = {"client_id": client, "client_secret": word}
            return self._web.post(url, data={**form, **both})
        return self._web.post(url, data=form, auth=(quote(client, safe=""), quote(word, safe="")))

    def _of_token(self, token: str) -> Identity | None:
        if self._settings.id_tokens and _kind_of(token) != "access":
            claims = self._as_id_token(token)
            return self._identity(claims, None) if claims is not None else None
        claims = self._as_access_token(token)
        return self._identity(claims, token) if claims is not None else None

    def _as_id_token(self, token: str) -> dict[str, Any] | None:
        client = self._settings.client_id
        claims = self._verified(token, client)
        return claims if claims is not None and claims.get("azp", client) == client else None

    def _as_access_token(self, token: str) -> dict[str, Any] | None:
        audience, kind = self._settings.audience, _kind_of(token)
        # Where the audience is the client itself nothing but a mark tells an access token.
        ambiguous = kind is None and audience == self._settings.client_id
        if audience is None or kind == "id" or ambiguous:
            return None
        claims = self._verified(token, audience)
        if claims is None or not self._settings.clients:
            return claims
        given_to = claims.get("azp", claims.get("client_id"))
        return claims if given_to in self._settings.clients else None

    def _verified(self, token: str, audience: str) -> dict[str, Any] | None:
        """The claims of a token that is signed, in force and for this audience."""
        try:
            header = jwt.get_unverified_header(token)
            if header.get("alg") not in self._settings.algorithms:
                return None
            key = self._published.key(header.get("kid"))
            if key is None:
                return None
            claims: dict[str, Any] = jwt.decode(
                token,
                key,
                algorithms=list(self._settings.algorithms),
                issuer=self._settings.issuer,
                audience=audience,
                leeway=CLOCK_SKEW_SECONDS,
                options={"require": ["exp", "iat", "iss", "sub", "aud"]},
            )
        except (jwt.PyJWTError, ValueError, TypeError, RecursionError):
            return None
        return claims

    def _identity(self, claims: dict[str, Any], access: str | None) -> Identity | None:
        """What the claims say; those that a token lacks are asked for with it."""
        wanted = (self._settings.login_claim, "name", "email")
        if access is not None and any(name not in claims for name in wanted):
            claims = {**self._user_info(access, claims["sub"]), **claims}
        login = claims.get(self._settings.login_claim)
        if not isinstance(login, str) or not login:
            return None
        if self._settings.login_claim == "email" and claims.get("email_verified") is not True:
            return None
        said: dict[str, Any] = {
            name: claims[name] for name in ("name", "email") if isinstance(claims.get(name), str)
        }
        theirs = claims.get(self._settings.groups_claim)
        named = theirs if isinstance(theirs, list) else []
        known = {name for one, name in self._settings.groups.items() if one in named}
        return Identity(login, {**said, "groups": sorted(known)} if known else said)

    def _user_info(self, access: str, sub: str) -> dict[str, Any]:
        """What the provider says besides; nothing where it does not, or of somebody else."""
        url = self._published.endpoint("userinfo_endpoint")
        if url is None:
            return {}
        answer = self._web.get(url, headers={"Authorization": f"Bearer {access}"})
        if answer.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            raise Unreachable(f"{url} answered {answer.status}")
        said = answer.json() if answer.status == HTTPStatus.OK else {}
        return said if said.get("sub") == sub else {}


def _kind_of(token: str) -> Literal["access", "id"] | None:
    """What a token says to be, unverified; None where it does not say."""
    try:
        header = jwt.get_unverified_header(token)
        claims = jwt.decode(token, options={"verify_signature": False})
    except (jwt.PyJWTError, ValueError, RecursionError):
        return None
    said = str(claims.get("typ", "")).lower()
    if str(header.get("typ", "")).lower() in ACCESS_TYPES or said == "bearer":
        return "access"
    return "id" if said == "id" or not ID_MARKS.isdisjoint(claims) else None
