"""core, ssx and auth on ports of their own behind the real gateway, all from one ispyb.toml."""

import contextlib
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from flask import Flask
from tests.gateway.stand import environment, wait_for_port
from tests.peers.ports import free_port
from tests.ssx.core_stand_in import Served

from pyispyb_auth.app import create_app as create_auth
from pyispyb_auth.demo import write_demo_accounts
from pyispyb_auth.migrations import MIGRATIONS as AUTH_TABLES
from pyispyb_chassis.configuration import load
from pyispyb_chassis.database import Database
from pyispyb_core.app import create_app as create_core
from pyispyb_core.operations import schema
from pyispyb_ssx.app import create_app as create_ssx
from pyispyb_ssx.migrations import MIGRATIONS as SSX_TABLES

ROOT = Path(__file__).parents[2]
PORTS = ("gateway", "auth", "auth_inside", "core", "core_inside", "ssx", "ssx_inside")
CREATE = {"auth": create_auth, "core": create_core, "ssx": create_ssx}
CONFIGURATION = """
url = "http://127.0.0.1:{gateway}"
state = "{folder}"
{block}
[auth]
listen = "127.0.0.1:{auth}"
inside_listen = "127.0.0.1:{auth_inside}"
database_url = "sqlite:///{folder}/auth.sqlite"
keys_dir = "{folder}/keys"
[auth.providers.static]
kind = "static"
accounts_file = "{folder}/accounts.toml"
[core]
listen = "127.0.0.1:{core}"
inside_listen = "127.0.0.1:{core_inside}"
database_url = "sqlite:///{folder}/core.sqlite"
[ssx]
listen = "127.0.0.1:{ssx}"
inside_listen = "127.0.0.1:{ssx_inside}"
database_url = "sqlite:///{folder}/ssx.sqlite"
core_url = "http://127.0.0.1:{core}"
[gateway]
listen = "127.0.0.1:{gateway}"
core_targets = ["127.0.0.1:{core}"]
ssx_targets = ["127.0.0.1:{ssx}"]
{place}
"""
# How the suite has its own auth: this block, and this place of it for the gateway.
OUR_BLOCK = """
[issuers.suite]
issuer = "{{url}}/auth"
jwks_url = "http://127.0.0.1:{auth}/auth/.well-known/jwks.json"
revocations_url = "http://127.0.0.1:{auth_inside}/revocations"
"""
OUR_PLACE = 'auth_targets = ["127.0.0.1:{auth}"]'


class Parts:
    """The parts of a suite: their ports, their databases, their ispyb.toml."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.ports = {name: free_port() for name in PORTS}
        self.url = f"http://127.0.0.1:{self.ports['gateway']}"
        self.file = folder / "ispyb.toml"
        self.log = folder / "gateway.log"
        write_demo_accounts(folder / "accounts.toml")
        for name in CREATE:
            with contextlib.closing(_Opened(f"sqlite:///{folder / name}.sqlite")) as opened:
                _make_tables(name, opened.database)

    def configure(self, block: str = OUR_BLOCK, place: str = OUR_PLACE) -> None:
        """Write ispyb.toml: an issuer's block, and where the gateway finds auth."""
        block, place = (text.format(**self.ports) for text in (block, place))
        text = CONFIGURATION.format(folder=self.folder, block=block, place=place, **self.ports)
        self.file.write_text(text)

    @contextlib.contextmanager
    def running(self, *services: str) -> Iterator[None]:
        """These services and the gateway, until the end."""
        with contextlib.ExitStack() as until_the_end:
            for name in services:
                app = CREATE[name](load(self.file, environ={}))
                for port in (self.ports[name], self.ports[f"{name}_inside"]):
                    until_the_end.enter_context(_serving(app, port))
                for database in app.extensions["pyispyb_databases"]:
                    until_the_end.callback(database.dispose)
            until_the_end.enter_context(self._gateway())
            yield

    @contextlib.contextmanager
    def _gateway(self) -> Iterator[None]:
        command = [Path(sys.executable).with_name("pyispyb-gateway"), "run"]
        environ = {**environment(), "ISPYB_CONFIG": str(self.file)}
        with self.log.open("ab") as log:
            process = subprocess.Popen(command, env=environ, cwd=ROOT, stdout=log, stderr=log)
        try:
            wait_for_port(self.ports["gateway"], process)
            yield
        finally:
            process.terminate()
            process.wait(30)


class _Opened:
    """A database whose connections are closed at the end."""

    def __init__(self, url: str) -> None:
        self.database = Database(url)

    def close(self) -> None:
        self.database.dispose()


def _make_tables(name: str, database: Database) -> None:
    if name == "core":
        schema.create(database, "pyispyb_core")
    else:
        (AUTH_TABLES if name == "auth" else SSX_TABLES).upgrade(database)


@contextlib.contextmanager
def _serving(app: Flask, port: int) -> Iterator[None]:
    served = Served(app)
    served.port = port
    served.start()
    try:
        yield
    finally:
        served.stop()
