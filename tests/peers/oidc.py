"""npm's oidc-provider: a certified OpenID provider, and a person who logs in there."""

import base64
import hashlib
import re
import secrets
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any, Self
from urllib.parse import parse_qs, urljoin, urlsplit

import pytest
import requests
from tests.peers.pausing import pause, resume
from tests.peers.ports import free_port
from tests.secrets_watch import note

LIBRARY = Path(sys.prefix) / "peers/oidc/node_modules/oidc-provider/lib/index.js"
PROGRAM = Path(__file__).with_name("oidc") / "provider.mjs"
NEEDED = "the tests need Node.js 20 or newer with npm, and `make peers` for oidc-provider"
SECRET = "a secret: of ispyb"
MOST_STEPS = 12


class Oidc:
    """One OpenID provider with the clients `ispyb` (secret) and `mxcube` (public)."""

    def __init__(self, callback: str) -> None:
        node = shutil.which("node")
        if node is None or not LIBRARY.is_file():
            pytest.fail(NEEDED, pytrace=False)
        note("client secret", SECRET)
        self.port = free_port()
        self.issuer = f"http://127.0.0.1:{self.port}"
        self.callback = callback
        self._command = [node, PROGRAM, LIBRARY.as_uri(), str(self.port), callback]
        self.start()

    def start(self) -> None:
        """Start it and wait until it says so."""
        self.process = subprocess.Popen(
            self._command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
        )
        assert self.process.stdout is not None
        assert self.process.stdout.readline() == "ready\n", "oidc-provider does not start"

    def kill(self) -> None:
        """End it without a word."""
        self.process.kill()
        self.process.wait()
        assert self.process.stdout is not None
        self.process.stdout.close()

    def pause(self) -> None:
        """Leave it hanging."""
        pause(self.process)

    def resume(self) -> None:
        """Let it go on."""
        resume(self.process)

    def log_in(self, url: str, login: str) -> str:
        """The URL to which a browser is sent back after `login` logged in, and agreed."""
        with requests.Session() as browser:
            browser.trust_env = False
            answer = browser.get(url, allow_redirects=False)
            for _ in range(MOST_STEPS):
                if answer.is_redirect:
                    onward = urljoin(answer.url, answer.headers["Location"])
                    if onward.startswith(self.callback):
                        return onward
                    answer = browser.get(onward, allow_redirects=False)
                    continue
                assert answer.ok, answer.text
                prompt = re.search(r'name="prompt" value="(\w+)"', answer.text)
                assert prompt is not None, answer.text
                form = {"prompt": prompt[1], "login": login, "password": "any"}
                answer = browser.post(answer.url, data=form, allow_redirects=False)
        raise AssertionError(f"not sent back after {MOST_STEPS} steps")

    def tokens(self, login: str) -> dict[str, Any]:
        """What the client `mxcube` gets for a person: an access token for `suite`, an ID token."""
        verifier = secrets.token_urlsafe(48)
        digest = hashlib.sha256(verifier.encode()).digest()
        asked = {
            "client_id": "mxcube",
            "response_type": "code",
            "redirect_uri": self.callback,
            "scope": "openid profile email",
            "code_challenge": base64.urlsafe_b64encode(digest).rstrip(b"=").decode(),
            "code_challenge_method": "S256",
        }
        url = requests.Request("GET", f"{self.issuer}/auth", params=asked).prepare().url
        back = parse_qs(urlsplit(self.log_in(str(url), login)).query)
        form = {
            "grant_type": "authorization_code",
            "client_id": "mxcube",
            "code": back["code"][0],
            "redirect_uri": self.callback,
            "code_verifier": verifier,
        }
        with requests.Session() as client:
            client.trust_env = False
            answer = client.post(f"{self.issuer}/token", data=form)
        assert answer.ok, answer.text
        return dict(answer.json())

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.resume()
        self.kill()
