"""HTTP: one request, one answer, and no exception for a server that gives none."""

import time
from dataclasses import dataclass, field
from typing import Any

import requests

from pyispyb_conformance.clauses import Broken

TIMEOUTS = (5.0, 15.0)  # seconds: to connect, to answer
LONGEST_WAIT = 30  # for a service that says 429
TOO_MANY = 429


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back; status 0 and a `fault` where nothing did."""

    status: int
    headers: dict[str, str] = field(default_factory=dict)
    text: str = ""
    json: Any = None
    seconds: float = 0.0
    received: float = 0.0
    fault: str = ""

    @property
    def seen(self) -> str:
        """The answer in two words."""
        return str(self.status) if self.status else f"no answer: {self.fault}"

    def object(self, *statuses: int) -> dict[str, Any]:
        """The JSON object of an answer with one of these statuses. Raises Broken."""
        self.must_be(*statuses)
        if not isinstance(self.json, dict):
            raise Broken(f"{self.status}, but no JSON object")
        return self.json

    def must_be(self, *statuses: int) -> None:
        """Raises Broken for any other status."""
        if self.status not in statuses:
            raise Broken(f"{self.seen}, not {' or '.join(map(str, statuses))}")

    def must_refuse_well(self) -> None:
        """Raises Broken for what is no 4xx."""
        if not 400 <= self.status < 500:
            raise Broken(f"{self.seen}, not a 4xx")


class Asking:
    """Asks one base URL."""

    def __init__(self, url: str) -> None:
        self.url = url.rstrip("/")

    def get(self, path: str, token: str | None = None) -> Answer:
        """A GET, with a bearer token or none."""
        headers = {} if token is None else {"Authorization": f"Bearer {token}"}
        return self._ask("GET", path, headers=headers)

    def post(self, path: str, body: Any, token: str | None = None) -> Answer:
        """A POST of a JSON body."""
        headers = {} if token is None else {"Authorization": f"Bearer {token}"}
        return self._ask("POST", path, headers=headers, json=body)

    def post_raw(self, path: str, body: bytes, kind: str = "application/json") -> Answer:
        """A POST of these bytes."""
        return self._ask("POST", path, headers={"Content-Type": kind}, data=body)

    def _ask(self, method: str, path: str, **more: Any) -> Answer:
        """One request; once again where the service says that it was one too many."""
        answer = self._once(method, path, **more)
        wait = answer.headers.get("retry-after", "")
        if answer.status == TOO_MANY and wait.isdigit() and int(wait) <= LONGEST_WAIT:
            time.sleep(int(wait))
            answer = self._once(method, path, **more)
        return answer

    def _once(self, method: str, path: str, **more: Any) -> Answer:
        begun = time.monotonic()
        with requests.Session() as session:
            # A proxy is for what is outside; plain http is for what is inside.
            session.trust_env = self.url.startswith("https:")
            try:
                answer = session.request(
                    method, self.url + path, timeout=TIMEOUTS, allow_redirects=False, **more
                )
            except requests.RequestException as error:
                return Answer(0, fault=type(error).__name__)
        seconds = time.monotonic() - begun
        headers = {name.lower(): value for name, value in answer.headers.items()}
        try:
            read = answer.json()
        except ValueError:
            read = None
        return Answer(answer.status_code, headers, answer.text, read, seconds, time.time())
