"""Which tokens of an issuer ended before they expire: its signed list, polled and kept."""

import logging
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import jwt

from pyispyb_chassis.configuration import Issuer
from pyispyb_chassis.errors import ServiceError
from pyispyb_chassis.issuer_keys import FAULTS, Keys, fetched
from pyispyb_chassis.shelf import Shelf

log = logging.getLogger(__name__)

LARGEST_LIST = 8_000_000
LIST_TYPES = frozenset({"revocations+jwt", "application/revocations+jwt"})
# A list from a clock that is far ahead would keep all later ones out.
CLOCK_SKEW_SECONDS = 30


@dataclass(frozen=True, slots=True)
class Mark:
    """What a list can name a token by."""

    login: str
    issued_at: float
    jti: str | None = None
    families: frozenset[str] = frozenset()

    @classmethod
    def of(cls, login: str, claims: dict[str, Any]) -> "Mark":
        """The mark of a token with these verified claims."""
        jti = claims.get("jti")
        families = [claims.get(name) for name in ("sid", "pat")]
        return cls(
            login,
            float(claims["iat"]),
            jti if isinstance(jti, str) else None,
            frozenset(one for one in families if isinstance(one, str)),
        )


@dataclass(frozen=True, slots=True)
class Revoked:
    """One list, as it was signed."""

    issued_at: float = -1
    jti: frozenset[str] = frozenset()
    families: frozenset[str] = frozenset()
    not_before: dict[str, float] = field(default_factory=dict)

    def has(self, mark: Mark) -> bool:
        """Whether the token with this mark has ended."""
        earliest = self.not_before.get(mark.login)
        return (
            mark.jti in self.jti
            or not self.families.isdisjoint(mark.families)
            or (earliest is not None and mark.issued_at < earliest)
        )

    @property
    def entries(self) -> int:
        """How many things it names."""
        return len(self.jti) + len(self.families) + len(self.not_before)


class Revocations:
    """The last good list of one issuer; `list` is replaced as a whole, so reading needs no lock.

    A list that is not rightly signed, or older than the one at hand, changes nothing. While the
    issuer is down the last one counts, after a restart too; before the first one all tokens last
    until they expire.
    """

    def __init__(
        self,
        name: str,
        issuer: Issuer,
        keys: Keys,
        shelf: Shelf,
        fetch: Callable[[], bytes] | None = None,
    ) -> None:
        self._name = name
        self._issuer = issuer
        self._keys = keys
        self._shelf = shelf
        self._whose = f"{issuer.issuer} {issuer.revocations_url}"
        url = issuer.revocations_url
        by_url = (lambda: fetched(url, LARGEST_LIST)) if url is not None else None
        self._fetch = fetch or by_url
        self._failing = False
        self._had_at: float | None = None
        self._told: Mapping[str, float] = {}
        self.list = Revoked()
        self.tell: Callable[[str, Mapping[str, float]], bool] | None = None
        self.heard: Callable[[str, float], object] = lambda _name, _at: None

    def poll(self) -> bool:
        """Ask for the list once; whether a good one came, or none is offered."""
        if self._fetch is None:
            return True
        try:
            data = self._fetch()
            new = self._read(data, self._keys.get)
            if new.issued_at < self.list.issued_at:
                raise ValueError("older than the list at hand")
        except (*FAULTS, ServiceError) as error:
            why = f"{type(error).__name__}: {error}"
            self._say("issuer's revocations cannot be had", failing=True, why=why)
            return False
        self._say("issuer's revocations can be had again", failing=False)
        if new.entries or self.list.entries:
            self._shelf.keep("revocations", self._whose, data)
        self.list, self._had_at = new, time.time()
        self.heard(self._name, self._had_at)
        changed = new.not_before != self._told
        if self.tell is not None and changed and self.tell(self._name, new.not_before):
            self._told = new.not_before
        return True

    def recall(self) -> None:
        """Take the list that was kept before a restart; its signature is verified again."""
        kept = self._shelf.get("revocations", self._whose)
        if kept is None or self._fetch is None:
            return
        try:
            self.list = self._read(kept, self._keys.held)
        except (*FAULTS, ServiceError) as error:
            log.warning("kept revocations are of no use", extra={"reason": type(error).__name__})
        else:
            self._had_at = self.list.issued_at

    def told(self) -> dict[str, Any]:
        """What readiness tells of it; an old list is no reason to refuse requests."""
        if self._fetch is None:
            return {"revocation": "by expiry only"}
        if self._had_at is None:
            return {"revocation": "no list yet", "ageSeconds": None}
        age = max(0, round(time.time() - self._had_at))
        return {"revocation": "by list", "ageSeconds": age, "entries": self.list.entries}

    def _say(self, what: str, *, failing: bool, why: str | None = None) -> None:
        """Log a change for the worse or the better, once; it is asked for every few seconds."""
        if failing != self._failing:
            log.warning(what, extra={"issuer": self._name, "reason": why})
        self._failing = failing

    def _read(self, data: bytes, key_of: Callable[[str], Any]) -> Revoked:
        """The list that these bytes are, if the issuer signed them."""
        header = jwt.get_unverified_header(data)
        kid = header.get("kid")
        if str(header.get("typ")).lower() not in LIST_TYPES or not isinstance(kid, str):
            raise ValueError("not a list of revocations")
        claims: dict[str, Any] = jwt.decode(
            data,
            key_of(kid),
            algorithms=list(self._issuer.algorithms),
            issuer=self._issuer.issuer,
            leeway=CLOCK_SKEW_SECONDS,
            # However old the last one is, it counts.
            options={"require": ["iss", "iat"], "verify_aud": False, "verify_exp": False},
        )
        return Revoked(
            float(claims["iat"]),
            _texts(claims.get("revoked_jti", [])),
            _texts(claims.get("revoked_sid", [])),
            {str(login): float(at) for login, at in dict(claims.get("not_before", {})).items()},
        )


def _texts(value: Any) -> frozenset[str]:
    if not isinstance(value, list):
        raise TypeError("a list of revocations in another form")
    return frozenset(str(one) for one in value)
