"""The first screen: waits until the gateway serves every service, then says what can be done."""

import time
import warnings
from collections.abc import Iterable

import requests
import urllib3

from pyispyb_chassis.configuration import Suite
from pyispyb_deploy.secrets import DATABASES, CannotPrepare
from pyispyb_local.first_steps import first_steps

PAUSE = 0.3


def wait_for(gateway: str, within: float) -> None:
    """Return when each service answers through the gateway. Raises CannotPrepare."""
    deadline = time.monotonic() + within
    while reason := _why_not(gateway, DATABASES):
        if time.monotonic() > deadline:
            raise CannotPrepare(f"not ready since {within:g} s: {reason}; see docker compose ps")
        time.sleep(PAUSE)


def _why_not(gateway: str, services: Iterable[str]) -> str | None:
    with requests.Session() as session, warnings.catch_warnings():
        # The certificate is for the name that clients use, not for the one in here.
        warnings.simplefilter("ignore", urllib3.exceptions.InsecureRequestWarning)
        session.trust_env, session.verify = False, False
        for url in (f"{gateway}/{name}/version" for name in services):
            try:
                answer = session.get(url, timeout=3)
            except requests.RequestException as error:
                return f"{url}: {type(error).__name__}"
            if answer.status_code != requests.codes.ok:
                return f"{url} answers {answer.status_code}"
    return None


def welcome(suite: Suite, log_page: str | None) -> str:
    """What `make run` prints, with the words of containers; the demo's commands for a demo only."""
    demo = f" Paste this into a terminal:\n\n{first_steps(suite.url)}\n"
    return f"""
PyISPyB is ready at {suite.url}.{demo if suite.environment == "local" else ""}

API pages    {suite.url}/  ({suite.url}/core/docs, …)
The log      {log_page or "docker compose logs"}
To end       make down, or docker compose down; the data stay in their volumes
"""
