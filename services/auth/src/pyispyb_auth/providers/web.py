"""Asking a site's HTTP services: small answers, no redirects, one error for all that fails."""

from typing import Annotated, Any
from urllib.parse import urlsplit

import orjson
import requests
from pydantic import AfterValidator
from urllib3.exceptions import HTTPError

from pyispyb_auth.providers.reach import Unreachable

LARGEST_ANSWER = 1_000_000
LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})


def is_safe_url(value: str) -> str:
    """An https URL, or one that does not leave this machine."""
    parts = urlsplit(value)
    if parts.scheme == "https" and parts.hostname:
        return value
    if parts.scheme == "http" and parts.hostname in LOOPBACK:
        return value
    raise ValueError("an https URL is needed; http for loopback only")


SafeUrl = Annotated[str, AfterValidator(is_safe_url)]


class Answer:
    """What a server said."""

    def __init__(self, status: int, data: bytes) -> None:
        self.status = status
        self.data = data

    def json(self) -> dict[str, Any]:
        """Its JSON object. Raises Unreachable."""
        try:
            value = orjson.loads(self.data)
        except orjson.JSONDecodeError as error:
            raise Unreachable(f"an answer {self.status} that is not JSON") from error
        if not isinstance(value, dict):
            raise Unreachable(f"an answer {self.status} that is not a JSON object")
        return value


class Web:
    """Requests of one provider, each within `seconds`. Shared by the threads of one process."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds

    def get(self, url: str, **how: Any) -> Answer:
        """GET. Raises Unreachable."""
        return self._ask("GET", url, **how)

    def post(self, url: str, **how: Any) -> Answer:
        """POST. Raises Unreachable."""
        return self._ask("POST", url, **how)

    def _ask(self, method: str, url: str, **how: Any) -> Answer:
        with requests.Session() as session:
            # A site's proxy is for what is outside; plain http is for what is inside. No netrc of
            # this process's user, either way: it would put another's credentials in.
            session.trust_env = url.startswith("https:")
            how.setdefault("auth", _nobody)
            try:
                answer = session.request(
                    method, url, timeout=self._seconds, allow_redirects=False, stream=True, **how
                )
                with answer:
                    data = answer.raw.read(LARGEST_ANSWER + 1, decode_content=True)
            except (requests.RequestException, HTTPError, OSError, ValueError) as error:
                raise Unreachable(f"{method} {url}: {type(error).__name__}") from error
        if len(data) > LARGEST_ANSWER:
            raise Unreachable(f"{method} {url}: the answer is too long")
        return Answer(answer.status_code, data)


def _nobody(request: requests.PreparedRequest) -> requests.PreparedRequest:
    return request
