"""What an OpenID provider publishes: its endpoints, and the keys that its tokens are signed by."""

import threading
import time
from typing import Any

import jwt

from pyispyb_auth.providers.reach import Unreachable
from pyispyb_auth.providers.web import Web

KEPT_SECONDS = 600
# A flood of unknown key ids costs no more than this.
STRANGERS_EVERY_SECONDS = 30
SIGNING_TYPES = frozenset({"EC", "RSA", "OKP"})


class Published:
    """Fetched when first needed, and again when it is old; shared by the threads of one process."""

    def __init__(self, issuer: str, web: Web) -> None:
        self._issuer = issuer
        self._web = web
        self._lock = threading.Lock()
        self._document: dict[str, Any] = {}
        self._keys: dict[str, Any] = {}
        self._old_at = 0.0
        self._next_for_strangers = 0.0

    def endpoint(self, name: str) -> str | None:
        """The URL of this name. Raises Unreachable."""
        value = self._current().get(name)
        return value if isinstance(value, str) else None

    def needed(self, name: str) -> str:
        """The URL of this name, which every provider has. Raises Unreachable."""
        url = self.endpoint(name)
        if url is None:
            raise Unreachable(f"{self._issuer} publishes no {name}")
        return url

    def names(self, name: str) -> list[str]:
        """A list that it publishes. Raises Unreachable."""
        value = self._current().get(name)
        return [one for one in value if isinstance(one, str)] if isinstance(value, list) else []

    def key(self, kid: str | None) -> Any:
        """The key of this id, None where there is none such. Raises Unreachable."""
        self._current()
        if kid is None:
            return next(iter(self._keys.values())) if len(self._keys) == 1 else None
        if kid not in self._keys and time.monotonic() > self._next_for_strangers:
            self._next_for_strangers = time.monotonic() + STRANGERS_EVERY_SECONDS
            self._fetch()
        return self._keys.get(kid)

    def _current(self) -> dict[str, Any]:
        if time.monotonic() > self._old_at:
            with self._lock:
                if time.monotonic() > self._old_at:
                    self._fetch()
        return self._document

    def _fetch(self) -> None:
        """Both documents anew; while that fails, old keys verify no new logins."""
        base = self._issuer.rstrip("/")
        document = self._read(f"{base}/.well-known/openid-configuration")
        if document.get("issuer") != self._issuer:
            raise Unreachable(f"{base} says to be {document.get('issuer')!r}, not {self._issuer!r}")
        try:
            found = jwt.PyJWKSet.from_dict(self._read(str(document.get("jwks_uri")))).keys
        except (jwt.PyJWTError, AttributeError, KeyError, TypeError, ValueError) as error:
            raise Unreachable(f"{base} publishes no usable key") from error
        signing = [
            key for key in found if key.key_type in SIGNING_TYPES and key.public_key_use != "enc"
        ]
        self._keys = {key.key_id or "": key.key for key in signing}
        self._document = document
        self._old_at = time.monotonic() + KEPT_SECONDS

    def _read(self, url: str) -> dict[str, Any]:
        answer = self._web.get(url)
        if answer.status != 200:
            raise Unreachable(f"{url} answered {answer.status}")
        return answer.json()
