"""The keys in use: the folder as it is now, which one signs, how long the others are needed."""

import logging
import threading
import time
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

from pyispyb_auth.operations.audit import audit
from pyispyb_auth.operations.keys import NoKeys, SigningKey, initialise, keys_in

log = logging.getLogger(__name__)

LOOKED_AT_EVERY = 1.0
MARGIN_SECONDS = 60


class KeyRing:
    """The keys of a folder that other processes change; what is in it counts within seconds.

    A new key is published at once and signs only after `lead_seconds`, when everybody who keeps
    our JWKS has it. A folder that became unusable leaves the last good keys in force.
    """

    def __init__(self, folder: Path, lead_seconds: int) -> None:
        self._folder = folder
        self._lead = timedelta(seconds=lead_seconds)
        self._lock = threading.Lock()
        self._keys: Sequence[SigningKey] = initialise(folder)
        self._seen = _names(folder)
        self._look_at = time.monotonic() + LOOKED_AT_EVERY

    @property
    def keys(self) -> Sequence[SigningKey]:
        """Every key, the newest first: all of them are published and verify."""
        if time.monotonic() >= self._look_at and self._lock.acquire(blocking=False):
            try:
                self._look()
            finally:
                self._lock.release()
        return self._keys

    @property
    def signing(self) -> SigningKey:
        """The one that signs now."""
        return signing(self.keys, self._lead, datetime.now(UTC))

    @property
    def may_be_kept_seconds(self) -> int:
        """How long a reader may keep the JWKS and yet have every key before it signs."""
        return min(300, int(self._lead.total_seconds()) // 2)

    def _look(self) -> None:
        self._look_at = time.monotonic() + LOOKED_AT_EVERY
        try:
            names = _names(self._folder)
            if names == self._seen:
                return
            found = keys_in(self._folder)
        except (NoKeys, OSError) as error:
            log.warning("keys unusable; the last good ones count", extra={"fault": str(error)})
            return
        if not found:
            log.warning("no signing key is left; the last ones count")
            return
        self._keys, self._seen = found, names


def signing(keys: Sequence[SigningKey], lead: timedelta, now: datetime) -> SigningKey:
    """The newest that has been published for long enough; the oldest where none has."""
    return next((key for key in keys if key.made + lead <= now), keys[-1])


def needed_until(
    key: SigningKey, keys: Sequence[SigningKey], lead: timedelta, token_seconds: int
) -> datetime | None:
    """When the last token that this key signed has expired; None while it signs or will sign."""
    newer = [one for one in keys if (one.made, one.kid) > (key.made, key.kid)]
    if not newer:
        return None
    begins = min(one.made for one in newer) + lead
    return begins + timedelta(seconds=token_seconds + MARGIN_SECONDS)


def state_of(
    key: SigningKey, keys: Sequence[SigningKey], lead: timedelta, token_seconds: int
) -> str:
    """What a key is for now, in words."""
    now = datetime.now(UTC)
    if key == signing(keys, lead, now):
        return "signs"
    if key.made + lead > now:
        return f"published, signs from {key.made + lead:%Y-%m-%d %H:%M:%S}Z"
    until = needed_until(key, keys, lead, token_seconds)
    if until is not None and until > now:
        return f"verifies until {until:%Y-%m-%d %H:%M:%S}Z"
    return "no longer needed"


def why_not_retire(
    key: SigningKey, keys: Sequence[SigningKey], lead: timedelta, token_seconds: int
) -> str | None:
    """Why this key cannot go yet, else None."""
    now = datetime.now(UTC)
    if key == signing(keys, lead, now):
        return "it signs: keys rotate first"
    if key.made + lead > now:
        return None
    until = needed_until(key, keys, lead, token_seconds)
    if until is not None and until > now:
        return f"tokens that it signed live until {until:%Y-%m-%d %H:%M:%S}Z"
    return None


def retire(folder: Path, kid: str, lead: timedelta, token_seconds: int, *, now: bool) -> None:
    """Take a key out of the folder, `now` even while tokens of it live. Raises NoKeys."""
    keys = keys_in(folder)
    key = next((one for one in keys if one.kid == kid), None)
    if key is None:
        known = ", ".join(one.kid for one in keys) or "none"
        raise NoKeys(f"no key {kid}; there are: {known}")
    if len(keys) == 1:
        raise NoKeys(f"{kid} is the last key: keys rotate first")
    why_not = why_not_retire(key, keys, lead, token_seconds)
    if why_not is not None and not now:
        raise NoKeys(f"{kid}: {why_not}; --now ends every token of it at once")
    try:
        key.file_in(folder).unlink()
    except OSError as error:
        raise NoKeys(f"{folder}: {kid} cannot be taken out: {error.strerror}") from error
    audit("key retired", kid=kid, early=why_not is not None)


def _names(folder: Path) -> frozenset[tuple[str, int]]:
    return frozenset((file.name, file.stat().st_mtime_ns) for file in folder.glob("*.pem"))
