"""Asking a sibling service, as the caller, with a time-out."""

from http import HTTPStatus
from typing import Any

import requests

from pyispyb_chassis.breaker import Breaker
from pyispyb_chassis.errors import Forbidden, NotFound, Unauthenticated, Unavailable
from pyispyb_chassis.ids import request_id
from pyispyb_chassis.principal import Principal

CONNECT_TIMEOUT = 1.0
OURS = {401: Unauthenticated, 403: Forbidden, 404: NotFound}


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

        Its 401, 403 and 404 become ours; everything else is Unavailable.
        """
        self._breaker.check()
        headers = {"Authorization": f"Bearer {caller.token}", "X-Request-ID": request_id()}
        try:
            answer = self._session.get(
                self._base + path,
                headers=headers,
                timeout=(CONNECT_TIMEOUT, self._timeout),
                allow_redirects=False,
            )
            if answer.status_code == HTTPStatus.OK:
                self._breaker.worked()
                return answer.json()
        except (requests.RequestException, ValueError) as error:
            raise self._breaker.failed() from error
        if answer.status_code in OURS:
            self._breaker.worked()
            raise OURS[answer.status_code]
        raise Unavailable(f"{self.name} answered {answer.status_code}")
