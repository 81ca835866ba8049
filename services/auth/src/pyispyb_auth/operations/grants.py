"""What `POST /auth/token` gives tokens for (RFC 6749): one grant each, by the name of its type."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

from pyispyb_auth.operations.logins import Logins, Tokens
from pyispyb_chassis.errors import ServiceError, Unauthenticated

Form = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Granted:
    """What a grant gives; `more` goes into the answer as it is."""

    tokens: Tokens
    more: Mapping[str, Any] = field(default_factory=dict)

    @property
    def wire(self) -> dict[str, Any]:
        """As RFC 6749 names it."""
        answer: dict[str, Any] = {
            "access_token": self.tokens.token,
            "token_type": "Bearer",
            "expires_in": self.tokens.expires_in,
        }
        if self.tokens.refresh_token is not None:
            answer["refresh_token"] = self.tokens.refresh_token
        return {**answer, **self.more}


# Takes the form (client_id and client_secret in it, however they were sent); raises GrantRefused,
# or a ServiceError for what is not the caller's fault.
Grant = Callable[[Form], Granted]


class GrantRefused(ServiceError):
    """A refusal by its word in RFC 6749."""

    status = HTTPStatus.BAD_REQUEST

    def __init__(self, error: str, detail: str) -> None:
        super().__init__(detail)
        self.error = error


def needed(form: Form, name: str) -> str:
    """A parameter that this grant cannot do without. Raises GrantRefused."""
    if not form.get(name):
        raise GrantRefused("invalid_request", f"{name} is missing")
    return form[name]


def refresh_grant(logins: Logins) -> Grant:
    """`refresh_token`: the next tokens of a login."""

    def grant(form: Form) -> Granted:
        presented = needed(form, "refresh_token")
        if form.get("scope"):
            raise GrantRefused("invalid_scope", "a login is not narrowed by a refresh")
        try:
            return Granted(logins.refresh(presented))
        except Unauthenticated as error:
            raise GrantRefused("invalid_grant", error.detail) from error

    return grant
