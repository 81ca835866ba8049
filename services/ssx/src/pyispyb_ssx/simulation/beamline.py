"""A beamline that records a simulated run through a gateway, and loses nothing on the way."""

import getpass
import os
import sys
import time
import uuid
from datetime import UTC, datetime
from http import HTTPStatus
from pathlib import Path
from typing import Any

import requests
from tqdm import tqdm

from pyispyb_ssx.simulation.crystals import FRAME_SECONDS, see_images

TIMEOUT = (2, 15)
GIVE_UP_AFTER = 300  # seconds without one answer
LONGEST_PAUSE = 10.0
WORTH_ANOTHER_TRY = frozenset(
    {
        HTTPStatus.TOO_MANY_REQUESTS,
        HTTPStatus.INTERNAL_SERVER_ERROR,
        HTTPStatus.BAD_GATEWAY,
        HTTPStatus.SERVICE_UNAVAILABLE,
        HTTPStatus.GATEWAY_TIMEOUT,
    }
)


class CannotRecord(Exception):
    """The gateway refuses, or has not answered for too long; one line says which."""


class Beamline:
    """A client of the suite with one login; every call may be repeated without harm."""

    def __init__(self, url: str, login: str, password: str) -> None:
        self._url = url.rstrip("/")
        self._login = login
        self._password = password
        self._http = requests.Session()
        self._token: str | None = None

    def find_session(self) -> int:
        """The newest session that has begun, of those that this login sees."""
        begun = datetime.now(UTC).isoformat(timespec="seconds")
        query = {"startDate[lte]": begun, "sort": "-startDate", "limit": "1"}
        results = self._call("GET", "/core/sessions", params=query)["results"]
        if not results:
            raise CannotRecord(f"{self._login} sees no session that has begun; give --session")
        return int(results[0]["sessionId"])

    def record(
        self, session_id: int, images: int, *, batch: int, rate: float | None, seed: int
    ) -> dict[str, Any]:
        """Open a run, send `images` in batches at this rate, close it; gives the summary."""
        opened = {
            "sessionId": session_id,
            "name": f"simulated, seed {seed}",
            "experimentType": "Serial Fixed",
            "numberOfImages": images,
            "exposureTime": FRAME_SECONDS,
        }
        key = {"Idempotency-Key": str(uuid.uuid4())}
        run_id = self._call("POST", "/ssx/runs", json=opened, headers=key)["runId"]
        started = time.monotonic()
        with tqdm(total=images, unit="image", unit_scale=True, file=sys.stderr) as bar:
            for n, first in enumerate(range(1, images + 1, batch)):
                count = min(batch, images + 1 - first)
                columns = see_images(first, count, seed=seed)
                if rate is not None:  # a batch is sent when its last image would be there
                    due = started + (first - 1 + count) / rate
                    time.sleep(max(0.0, due - time.monotonic()))
                self._call("PUT", f"/ssx/runs/{run_id}/batches/{n}", json=columns)
                bar.update(count)
        self._call("POST", f"/ssx/runs/{run_id}/close")
        return self._call("GET", f"/ssx/runs/{run_id}/summary")

    def _call(
        self, method: str, path: str, *, headers: dict[str, str] | None = None, **content: Any
    ) -> dict[str, Any]:
        """One answer, however often it must be asked for."""
        pause, last_answer = 0.5, time.monotonic()
        renewed = False
        while True:
            answer = self._try(method, path, headers or {}, content)
            if answer is not None:
                if answer.ok:
                    found: dict[str, Any] = answer.json()
                    return found
                if answer.status_code == HTTPStatus.UNAUTHORIZED and not renewed:
                    self._token, renewed = None, True
                    continue
                if answer.status_code not in WORTH_ANOTHER_TRY:
                    raise CannotRecord(f"{method} {path}: {answer.status_code} {_reason(answer)}")
            if time.monotonic() - last_answer > GIVE_UP_AFTER:
                raise CannotRecord(f"{method} {path}: no answer for {GIVE_UP_AFTER} s")
            asked_for = answer.headers.get("Retry-After", "") if answer is not None else ""
            time.sleep(float(asked_for) if asked_for.isdigit() else pause)
            pause = min(pause * 2, LONGEST_PAUSE)
            renewed = False

    def _try(
        self, method: str, path: str, headers: dict[str, str], content: dict[str, Any]
    ) -> requests.Response | None:
        """An answer, or None where there was none."""
        try:
            if self._token is None:
                signed = self._http.post(
                    f"{self._url}/auth/login",
                    json={"login": self._login, "password": self._password},
                    timeout=TIMEOUT,
                )
                if signed.status_code == HTTPStatus.UNAUTHORIZED:
                    raise CannotRecord(f"{self._url} does not accept this password")
                if not signed.ok:
                    return signed
                self._token = signed.json()["token"]
            named = {"Authorization": f"Bearer {self._token}", **headers}
            return self._http.request(
                method, self._url + path, headers=named, timeout=TIMEOUT, **content
            )
        except requests.RequestException:
            return None


def read_password(login: str, file: Path | None, variable: str | None) -> str:
    """The password from a file, a variable, or the keyboard. Raises CannotRecord for none."""
    if file is not None:
        try:
            return file.read_text(encoding="utf-8").strip()
        except OSError as error:
            raise CannotRecord(f"{file} cannot be read: {error.strerror}") from error
    if variable is not None:
        if variable not in os.environ:
            raise CannotRecord(f"the variable {variable} is not set")
        return os.environ[variable]
    if not sys.stdin.isatty():
        raise CannotRecord("give --password-file or --password-env")
    return getpass.getpass(f"password of {login}: ")


def _reason(answer: requests.Response) -> str:
    try:
        said = answer.json()
    except ValueError:
        return ""
    return str(said.get("detail") or said.get("message") or "")
