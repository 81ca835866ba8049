"""The auth service under test: what it was asked once, for every clause that looks at it."""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import jwt

from pyispyb_conformance.asking import Answer, Asking
from pyispyb_conformance.block import Block, read_block
from pyispyb_conformance.clauses import Broken, CannotRun, NotTried
from pyispyb_conformance.tokens import PublicKey, parts_of, public_key, verify

JWKS = "/auth/.well-known/jwks.json"
REFUSED = (401, 403)
NOT_NOW = (429, 502, 503, 504)
OK = 200


@dataclass(frozen=True, slots=True)
class Given:
    """What the command line says."""

    url: str
    login: str
    password: str
    services: str | None = None
    jwks: str | None = None
    block_file: Path | None = None
    issuer: str | None = None


class Subject:
    """An auth service, asked as a client would."""

    def __init__(self, given: Given) -> None:
        self.given = given
        self.auth = Asking(given.url)
        self.first = self.log_in()
        if not self.first.status:
            raise CannotRun(f"{given.url} gives {self.first.seen}")
        if self.first.status in REFUSED:
            raise CannotRun(f"the login that you gave is refused: {self.first.status}")
        if self.first.status in NOT_NOW:
            raise CannotRun(f"the service is not ready: {self.first.status}")
        self.block: Block | None = None
        if given.block_file is not None:
            self.block = read_block(given.block_file, given.issuer, self._said("iss"))

    def log_in(self) -> Answer:
        """One good login."""
        return self.try_login(self.given.login, self.given.password)

    def try_login(self, login: str, password: str) -> Answer:
        """One login, good or bad."""
        return self.auth.post("/auth/login", {"login": login, "password": password})

    def refresh(self, token: str) -> Answer:
        """One refresh."""
        return self.auth.post("/auth/refresh", {"refreshToken": token})

    @cached_property
    def services(self) -> Asking:
        """Where core and ssx answer: as given, else behind the same URL if they are there."""
        if self.given.services is not None:
            return Asking(self.given.services)
        if self.auth.get("/core/version").status == OK:
            return self.auth
        raise NotTried("core and ssx do not answer at this URL: give --services URL")

    @cached_property
    def second(self) -> Answer:
        """Another good login."""
        return self.log_in()

    @cached_property
    def refreshed(self) -> Answer:
        """The first login, gone on once."""
        return self.refresh(self.refresh_token)

    @cached_property
    def jwks(self) -> Answer:
        """The published keys."""
        if self.block is not None and self.block.pem is not None:
            raise NotTried("the issuer block names a pem_file")
        if self.given.jwks is not None:
            return Asking(self.given.jwks).get("")
        return self.auth.get(JWKS)

    @property
    def token(self) -> str:
        """The access token of the first login."""
        return token_in(self.first, "token")

    @property
    def refresh_token(self) -> str:
        """The refresh token of the first login."""
        return token_in(self.first, "refreshToken")

    @property
    def header(self) -> dict[str, Any]:
        """Its header, not verified."""
        return self._read()[0]

    @property
    def claims(self) -> dict[str, Any]:
        """Its claims, not verified."""
        return self._read()[1]

    @property
    def published(self) -> list[dict[str, Any]]:
        """The published keys, as far as they are a list of objects."""
        answer = self.jwks
        keys = answer.json.get("keys") if isinstance(answer.json, dict) else None
        if answer.status != OK or not isinstance(keys, list):
            raise NotTried("there is no list of keys")
        return [key for key in keys if isinstance(key, dict)]

    def key_of(self, token: str) -> PublicKey:
        """The public key that the token's header names. Raises Broken or NotTried."""
        header = parts_of(token)[0]
        kid, algorithm = header.get("kid"), str(header.get("alg"))
        if self.block is not None and self.block.pem is not None:
            return self._key_of_file(self.block, kid, algorithm)
        named = [key for key in self.published if key.get("kid") == kid]
        if not named:
            raise Broken(f"no published key has the token's kid {kid!r}")
        return public_key(named[0], algorithm)

    def verified(self, token: str) -> dict[str, Any]:
        """The claims of a token whose signature is right. Raises Broken or NotTried."""
        verify(token, self.key_of(token))
        return parts_of(token)[1]

    def _key_of_file(self, block: Block, kid: object, algorithm: str) -> PublicKey:
        if kid != block.fields.get("kid"):
            raise Broken(f"the token's kid is {kid!r}, the block's {block.fields.get('kid')!r}")
        try:
            pem = Path(str(block.pem)).read_bytes()
            key: PublicKey = jwt.get_algorithm_by_name(algorithm).prepare_key(pem)
        except (OSError, ValueError, TypeError, NotImplementedError, jwt.PyJWTError) as error:
            raise Broken(f"{block.pem}: no public key for {algorithm}") from error
        return key

    def _read(self) -> tuple[dict[str, Any], dict[str, Any], bytes]:
        try:
            return parts_of(self.token)
        except Broken as broken:
            raise NotTried("the token cannot be read") from broken

    def _said(self, claim: str) -> object:
        try:
            return self.claims.get(claim)
        except NotTried:
            return None


def token_in(answer: Answer, name: str) -> str:
    """A token of a login's answer. Raises NotTried where it is not there."""
    value = answer.json.get(name) if isinstance(answer.json, dict) else None
    if answer.status != OK or not isinstance(value, str) or not value:
        raise NotTried(f"no {name} came")
    return value
