"""Who a caller is to ssx: core's answer, kept for seconds, longer while core is down."""

import hashlib
import logging
import os
import shutil
import threading
import time
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson

from pyispyb_chassis.errors import ServiceError, Unavailable
from pyispyb_chassis.permissions import Permission
from pyispyb_chassis.principal import Principal
from pyispyb_chassis.sibling import Sibling
from pyispyb_ssx.rules import Viewer
from pyispyb_ssx.settings import SsxSettings

log = logging.getLogger(__name__)

ACCESS = "/core/user/access"
MOST_KEPT = 10_000
_PERMISSIONS = {str(one): one for one in Permission}


@dataclass(frozen=True, slots=True)
class Answer:
    """What core said of a caller, and when it was asked (UTC; and by the clock of this process)."""

    viewer: Viewer
    asked_at: datetime
    age_from: float


class LastAnswers:
    """What core last said of each caller, shared by the workers of one service as small files.

    Each worker keeps its own answers; these are read only while core is down, so that it makes no
    difference which worker a request meets.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)

    def keep(self, key: str, said: dict[str, Any]) -> None:
        """Keep an answer; that it cannot be kept is no fault of the request."""
        unfinished = self._folder / f"{key}.{os.getpid()}.{threading.get_ident()}"
        try:
            unfinished.write_bytes(orjson.dumps({"at": time.time(), "said": said}))
            unfinished.replace(self._folder / key)
        except OSError as error:
            log.warning("an answer of core is not shared", extra={"fault": str(error.strerror)})

    def get(self, key: str, usable: float) -> Answer | None:
        """An answer that is not older than `usable` seconds, whichever worker asked for it."""
        try:
            kept = orjson.loads((self._folder / key).read_bytes())
        except (OSError, orjson.JSONDecodeError):
            return None
        age = time.time() - kept["at"]
        if not 0 <= age < usable:
            return None
        asked_at = datetime.fromtimestamp(kept["at"], UTC).replace(tzinfo=None)
        return Answer(_viewer(kept["said"]), asked_at, time.monotonic() - age)

    def drop(self, key: str) -> None:
        """Forget an answer: core refuses this caller now."""
        with suppress(OSError):
            (self._folder / key).unlink()


class Viewers:
    """Gives the Viewer of a Principal; a change of rights is seen when the kept answer is old."""

    def __init__(self, core: Sibling, settings: SsxSettings, last: LastAnswers) -> None:
        self._core = core
        self._last = last
        self._fresh = settings.access_cache_seconds
        self._usable = settings.access_stale_seconds
        self._kept: dict[str, Answer] = {}
        self._lock = threading.Lock()

    def __call__(self, caller: Principal) -> Viewer:
        """The caller as the rules know them. Raises Unavailable where core does not say."""
        return self.answer(caller).viewer

    def answer(self, caller: Principal) -> Answer:
        """Core's answer; the last good one for a while where core is down."""
        key = name_of(caller)
        kept = self._kept.get(key)
        if kept is not None and time.monotonic() - kept.age_from < self._fresh:
            return kept
        asked_at, age_from = datetime.now(UTC).replace(tzinfo=None), time.monotonic()
        try:
            said = self._core.get(f"/core/links/{caller.link}" if caller.link else ACCESS, caller)
        except Unavailable:
            last = self._last.get(key, self._usable)
            if last is None:
                raise
            return last
        except ServiceError:
            self._kept.pop(key, None)  # core refuses this caller: nothing to fall back on
            self._last.drop(key)
            raise
        self._last.keep(key, said)
        answer = Answer(_viewer(said), asked_at, age_from)
        with self._lock:
            if len(self._kept) >= MOST_KEPT:
                self._kept.clear()
            self._kept[key] = answer
        return answer


def name_of(caller: Principal) -> str:
    """One name for all tokens of a caller that say the same: issuer, login, scope, beamlines."""
    parts = [
        caller.issuer,
        caller.login,
        str(caller.person),
        str(caller.service),
        str(caller.administrator),
        "any" if caller.scope is None else " ".join(sorted(caller.scope)),
        " ".join(sorted(caller.beamlines)),
        " ".join(sorted(caller.groups)),
        "any" if caller.only_beamlines is None else " ".join(sorted(caller.only_beamlines)),
    ]
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()


def _viewer(said: dict[str, Any]) -> Viewer:
    """A permission that this version does not know gives nothing here."""
    try:
        return Viewer(
            login=str(said["login"]),
            permissions=frozenset(
                _PERMISSIONS[name] for name in said["permissions"] if name in _PERMISSIONS
            ),
            sees_all=said["all"] is True,
            proposals=frozenset(said["proposals"]),
            sessions=frozenset(said["sessions"]),
            beam_lines=frozenset(said["beamLines"]),
            except_proposals=frozenset(said["exceptProposals"]),
        )
    except (KeyError, TypeError) as error:
        raise Unavailable("core answered in another form than ssx reads") from error
