"""The stand-in auth service of another language, as a process: whole, or with a clause broken."""

import json
import os
import shutil
import subprocess
import time
from pathlib import Path
from typing import Any, Self

import pytest
import requests
from tests.peers.ports import free_port

HERE = Path(__file__).parent
WHOLE, BROKEN = HERE / "standin_auth.mjs", HERE / "standin_broken.mjs"
JWKS = "/auth/.well-known/jwks.json"
READY_WITHIN = 15.0
NEEDED = "the tests need Node 18 or newer: apt-get install nodejs"


class StandIn:
    """An auth service in Node; `issuer` is what its tokens say."""

    def __init__(self, script: Path = WHOLE, issuer: str | None = None, **variables: str) -> None:
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.issuer = issuer or f"{self.url}/auth"
        self._command = [_node(), str(script), str(self.port), self.issuer]
        self._variables = variables

    def __enter__(self) -> Self:
        environ = {"PATH": os.environ["PATH"], **self._variables}
        self.process = subprocess.Popen(self._command, env=environ)
        deadline = time.monotonic() + READY_WITHIN
        while time.monotonic() < deadline and self.process.poll() is None:
            try:
                requests.get(self.url, timeout=1).close()
            except requests.ConnectionError:
                time.sleep(0.02)
            else:
                return self
        self.__exit__()
        raise AssertionError("the stand-in does not start")

    def __exit__(self, *_: object) -> None:
        self.process.kill()
        self.process.wait()

    def block(self, name: str = "site", **more: str) -> str:
        """Its issuer block; `more` is laid over it."""
        fields = {"issuer": self.issuer, "audience": "ispyb", "jwks_url": f"{self.url}{JWKS}"}
        lines = [f"{key} = {json.dumps(value)}" for key, value in {**fields, **more}.items()]
        return "\n".join([f"[issuers.{name}]", *lines, ""])


def breakers() -> list[str]:
    """The names of all that the broken stand-in can break; each begins with its clause."""
    done = subprocess.run(
        [_node(), str(BROKEN), "--list"], check=True, capture_output=True, text=True, timeout=30
    )
    found: list[Any] = json.loads(done.stdout)
    return [str(name) for name in found]


def _node() -> str:
    where = shutil.which("node") or shutil.which("nodejs")
    if where is None:
        pytest.fail(NEEDED, pytrace=False)
    return where
