"""CAS 3.0: tickets that a client already has, and browsers."""

import re
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, ClassVar, Literal
from urllib.parse import urlencode
from xml.etree.ElementTree import ParseError

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import fromstring
from pydantic import Field
from pydantic import model_validator as validates

from pyispyb_auth.providers.provider import (
    Arrival,
    Departure,
    DistantSettings,
    Identity,
    Provider,
    Takes,
)
from pyispyb_auth.providers.reach import Reach, Unreachable
from pyispyb_auth.providers.web import SafeUrl, Web

CAS = "{http://www.yale.edu/tp/cas}"
TICKET = re.compile(r"ST-[\x21-\x7e]{1,512}")
# What it says of a ticket; everything else that it says is about us, or about itself.
REFUSALS = frozenset(
    {"INVALID_REQUEST", "INVALID_TICKET_SPEC", "INVALID_TICKET", "INVALID_SERVICE"}
)


class CasSettings(DistantSettings):
    """[auth.providers.<name>] with kind = "cas"."""

    kind: Literal["cas"]
    url: SafeUrl = Field(description="where its /login is")
    browser: bool = Field(default=True, description="people log in by a browser")
    service: str | None = Field(None, description="tickets that clients got for it are taken")
    login_attribute: str | None = Field(None, description="the login; by default the user")
    name_attribute: str = "displayName"
    email_attribute: str = "mail"
    group_attribute: str = "memberOf"
    groups: dict[str, str] = Field(
        default_factory=dict, description="a group of theirs = its name in the suite"
    )

    @validates(mode="after")
    def _takes_something(self) -> "CasSettings":
        if not (self.browser or self.service):
            raise ValueError("it takes nothing: give browser or service")
        return self


class CasProvider(Provider):
    """Proves by a service ticket, which the CAS server validates once."""

    settings_kind: ClassVar = CasSettings

    def __init__(self, name: str, settings: CasSettings) -> None:
        super().__init__(name, settings)
        self.refusal_seconds = settings.refusal_seconds
        self.login_seconds = settings.login_seconds
        taken: set[Takes] = {"browser"} if settings.browser else set()
        if settings.service:
            taken.add("token")
        self.takes = frozenset(taken)
        self._settings = settings
        self._url = settings.url.rstrip("/")
        self._web = Web(settings.timeout_seconds)
        self._reach = Reach(name, settings.timeout_seconds)

    def public_settings(self) -> Mapping[str, Any]:
        """With which a client gets a ticket by itself."""
        told = {"url": self._url, "service": self._settings.service}
        return {name: value for name, value in told.items() if value is not None}

    def fault(self) -> str | None:
        """One line where it did not answer last, else None."""
        return self._reach.fault()

    def recognises(self, token: str) -> bool:
        """Whether it has the form of a service ticket."""
        return TICKET.fullmatch(token) is not None

    def prove_token(self, token: str) -> Identity | None:
        """Who the ticket was given to, for the service that is configured."""
        service = self._settings.service
        return self._validated(token, service) if service is not None else None

    def depart(self, callback: str, state: str) -> Departure:
        """To the server's own page; the state comes back within the service's URL."""
        service = _service_of(callback, state)
        return Departure(f"{self._url}/login?{urlencode({'service': service})}")

    def arrive(self, arrival: Arrival) -> Identity | None:
        """Who the ticket was given to that came back."""
        service = _service_of(arrival.callback, arrival.query.get("state", ""))
        return self._validated(arrival.query.get("ticket", ""), service)

    def _validated(self, ticket: str, service: str) -> Identity | None:
        if not self.recognises(ticket):
            return None
        return self._reach.ask(lambda: self._asked_of(ticket, service))

    def _asked_of(self, ticket: str, service: str) -> Identity | None:
        asked = {"service": service, "ticket": ticket}
        answer = self._web.get(f"{self._url}/p3/serviceValidate", params=asked)
        if answer.status != HTTPStatus.OK:
            raise Unreachable(f"serviceValidate answered {answer.status}")
        try:
            root = fromstring(answer.data)
        except (ParseError, DefusedXmlException, LookupError, ValueError) as error:
            raise Unreachable("serviceValidate answered no XML that can be read") from error
        refused = root.find(f"{CAS}authenticationFailure")
        if refused is not None and refused.get("code") in REFUSALS:
            return None
        proven = root.find(f"{CAS}authenticationSuccess")
        if proven is None:
            why = refused.get("code") if refused is not None else "something else"
            raise Unreachable(f"serviceValidate answered {why}")
        return self._identity(proven)

    def _identity(self, proven: Any) -> Identity | None:
        attributes: dict[str, list[str]] = {}
        for one in proven.iterfind(f"{CAS}attributes/*"):
            attributes.setdefault(one.tag.removeprefix(CAS), []).append((one.text or "").strip())

        def first(name: str) -> str | None:
            return next((value for value in attributes.get(name, []) if value), None)

        of = self._settings
        user = (proven.findtext(f"{CAS}user") or "").strip()
        login = user if of.login_attribute is None else first(of.login_attribute)
        if not login:
            return None
        said = {"name": first(of.name_attribute), "email": first(of.email_attribute)}
        claims: dict[str, Any] = {name: value for name, value in said.items() if value is not None}
        theirs = attributes.get(of.group_attribute, [])
        known = {name for one, name in of.groups.items() if one in theirs}
        return Identity(login, {**claims, "groups": sorted(known)} if known else claims)


def _service_of(callback: str, state: str) -> str:
    return f"{callback}?{urlencode({'state': state})}"
