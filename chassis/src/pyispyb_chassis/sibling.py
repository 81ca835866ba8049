"""Asking a sibling service, as the caller, with a time-out."""

from http import HTTPStatus
from typing import Any

import requests

from pyispyb_chassis.breaker import Breaker
from pyispyb_chassis.errors import Conflict, Forbidden, NotFound, Unauthenticated, Unavailable
from pyispyb_chassis.ids import request_id
from pyispyb_chassis.principal import Principal

CONNECT_TIMEOUT = 1.0
FINE = {HTTPStatus.OK, HTTPStatus.CREATED, HTTPStatus.NO_CONTENT}
OURS = {401: Unauthenticated, 403: Forbidden, 404: NotFound, 409: Conflict}


class Sibling:
    """Another service of the suite, by its inner address. Shared by the threads of one process."""

    def __init__(self, name: str, base_url: str, *, timeout: float = 2.0) -> None:
        self.name = name
        self._base = base_url.rstrip("/")
        self._timeout = timeout
        self._breaker = Breaker(name)
        self._session = requests.Session()
        # Siblings are inside: no proxy, and no netrc, which would put another's credentials in.
        self._session.trust_env = False

    def get(self, path: str, caller: Principal) -> Any:
        """The JSON that the sibling answers to the caller.

        Its 401, 403, 404 and 409 become ours; everything else is Unavailable.
        """
        return self.ask("GET", path, caller)

    def ask(self, method: str, path: str, caller: Principal, body: Any = None) -> Any:
        """As `get`, by another method too; None where the sibling answers without content."""
        self._breaker.check()
        headers = {"X-Request-ID": request_id()}
        if caller.token:
            headers["Authorization"] = f"Bearer {caller.token}"
        try:
            answer = self._session.request(
                method,
                self._base + path,
                headers=headers,
                json=body,
                timeout=(CONNECT_TIMEOUT, self._timeout),
                allow_redirects=False,
            )
            if answer.status_code in FINE:
                self._breaker.worked()
                return answer.json() if answer.content else None
        except (requests.RequestException, ValueError) as error:
            raise self._breaker.failed() from error
        if answer.status_code in OURS:
            self._breaker.worked()
            raise OURS[answer.status_code]
        raise Unavailable(f"{self.name} answered {answer.status_code}")
