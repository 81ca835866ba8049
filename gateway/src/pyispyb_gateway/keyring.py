"""The last good keys of every issuer, asked for again and again while the gateway runs."""

import logging
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor

from pyispyb_chassis.configuration import Issuer
from pyispyb_gateway.keys import PAUSE, Credential, NoKeys, keys_of, refuse_twice

log = logging.getLogger(__name__)


class Keyring:
    """Keys once had are kept for as long as their issuer is down or publishes something else."""

    def __init__(self, issuers: Mapping[str, Issuer]) -> None:
        if not issuers:
            raise NoKeys("no issuer is configured: no token could ever be valid ([issuers.<name>])")
        self._issuers = issuers
        self._good: dict[str, list[Credential]] = {}
        self._faults: dict[str, str] = {}

    @property
    def credentials(self) -> list[Credential]:
        """Every key in the order of the issuers in ispyb.toml."""
        return [key for name in self._issuers for key in self._good.get(name, [])]

    def wait(self, within: float) -> None:
        """Wait for all issuers for a while, then go on with those that are there.

        Raises NoKeys if none is, and at once for a file: that is a wrong setting.
        """
        deadline = time.monotonic() + within
        while True:
            self.look()
            missing = [name for name in self._issuers if name not in self._good]
            for name in missing:
                if self._issuers[name].jwks_url is None:
                    raise NoKeys(self._faults[name])
            if not missing or time.monotonic() + PAUSE > deadline:
                break
            time.sleep(PAUSE)
        if not self._good:
            raise NoKeys("; ".join(self._faults[name] for name in missing))

    def look(self) -> bool:
        """Ask each issuer once; whether there are other keys now. A new fault is a line."""
        before = self.credentials
        with ThreadPoolExecutor(len(self._issuers)) as pool:
            answers = list(pool.map(self._ask, self._issuers))
        for name, answer in zip(self._issuers, answers, strict=True):
            try:
                if isinstance(answer, NoKeys):
                    raise answer
                others = [
                    key for other, keys in self._good.items() if other != name for key in keys
                ]
                refuse_twice([*others, *answer])
            except NoKeys as fault:
                self._say(name, str(fault))
            else:
                self._faults.pop(name, None)
                self._good[name] = answer
        return self.credentials != before

    def _ask(self, name: str) -> list[Credential] | NoKeys:
        try:
            return keys_of(name, self._issuers[name])
        except NoKeys as fault:
            return fault

    def _say(self, name: str, fault: str) -> None:
        if self._faults.get(name) == fault:
            return
        self._faults[name] = fault
        kept = [key["key"] for key in self._good.get(name, [])]
        message = "the last keys of an issuer are kept" if kept else "an issuer has no keys yet"
        log.warning(message, extra={"issuer": name, "kids": kept, "reason": fault})
