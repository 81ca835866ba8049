"""A small HTTP service of the site's that says whether a login and a password belong together."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, ClassVar, Literal

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError

from pyispyb_auth.providers.provider import DistantSettings, Identity, Provider
from pyispyb_auth.providers.reach import Reach, Unreachable
from pyispyb_auth.providers.web import Answer, SafeUrl, Web


class RemoteSettings(DistantSettings):
    """[auth.providers.<name>] with kind = "remote"."""

    kind: Literal["remote"]
    url: SafeUrl = Field(description="it is sent {login, password} by POST")
    secret: SecretStr | None = Field(None, description="by which it knows us: a bearer token")
    lookups: bool = Field(
        default=False, description="it answers {login} alone: 200 as for a login, or 404"
    )


class RemoteIdentity(BaseModel):
    """What it answers for somebody; more than that is let be."""

    model_config = ConfigDict(strict=True, extra="ignore")

    login: str | None = Field(None, min_length=1, max_length=255)
    name: str | None = None
    email: str | None = None
    groups: list[str] = Field(default_factory=list)


class RemoteProvider(Provider):
    """Proves by asking: 200 is yes, 401 no, everything else an outage."""

    settings_kind: ClassVar = RemoteSettings

    def __init__(self, name: str, settings: RemoteSettings) -> None:
        super().__init__(name, settings)
        self.refusal_seconds = settings.refusal_seconds
        self.login_seconds = None if settings.lookups else settings.login_seconds
        self._settings = settings
        self._web = Web(settings.timeout_seconds)
        self._reach = Reach(name, settings.timeout_seconds)

    def knows(self, login: str) -> bool | None:
        """Whether it knows the login, where it answers that."""
        if not self._settings.lookups:
            return None
        return self._looked_up(login) is not None

    def prove(self, login: str, password: str) -> Identity | None:
        """The identity that it answers."""
        body = {"login": login, "password": password}
        return self._reach.ask(lambda: self._asked(body, refusal=HTTPStatus.UNAUTHORIZED))

    def still(self, proven: Identity) -> Identity | None:
        """What it says of the login now, where it answers that."""
        return self._looked_up(proven.login) if self._settings.lookups else proven

    def fault(self) -> str | None:
        """One line where it did not answer last, else None."""
        return self._reach.fault()

    def _looked_up(self, login: str) -> Identity | None:
        return self._reach.ask(lambda: self._asked({"login": login}, refusal=HTTPStatus.NOT_FOUND))

    def _asked(self, body: Mapping[str, str], *, refusal: HTTPStatus) -> Identity | None:
        secret = self._settings.secret
        headers = {"Authorization": f"Bearer {secret.get_secret_value()}"} if secret else {}
        answer = self._web.post(self._settings.url, json=body, headers=headers)
        if answer.status == refusal:
            return None
        if answer.status != HTTPStatus.OK:
            raise Unreachable(f"it answered {answer.status}")
        return _identity(answer, body["login"])


def _identity(answer: Answer, login: str) -> Identity:
    try:
        said = RemoteIdentity.model_validate(answer.json())
    except ValidationError as error:
        faults = [".".join(map(str, fault["loc"])) for fault in error.errors()]
        raise Unreachable(f"its answer has faults: {', '.join(faults)}") from error
    claims: dict[str, Any] = said.model_dump(include={"name", "email", "groups"}, exclude_none=True)
    return Identity(said.login or login, {name: value for name, value in claims.items() if value})
