"""Databases, tables and keys brought to where the services can start; run before each start."""

import logging
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import pymysql
from sqlalchemy.engine import URL, make_url

from pyispyb_chassis.configuration import Configuration
from pyispyb_core.settings import CoreSettings
from pyispyb_deploy.secrets import BUNDLED_HOST, DATABASES, ROOT_FILE, CannotPrepare, urls_in

log = logging.getLogger(__name__)

LOCK, LOCK_SECONDS = "pyispyb_deploy", 600
PAUSE = 0.5
# Not there yet, or not yet whole; every other refusal is a wrong setting.
IS_DOWN = {1040, 1053, 2002, 2003, 2006, 2013, 2055}
ROWS = "SELECT, INSERT, UPDATE, DELETE"


@dataclass(frozen=True, slots=True)
class Step:
    """One command of a service; `demo`: only in an environment "local", and once a database."""

    title: str
    service: str
    command: tuple[str, ...]
    demo: bool = False


STEPS = (
    Step("auth: signing key", "auth", ("keys", "init")),
    Step("auth: tables", "auth", ("database", "upgrade")),
    Step("core: tables", "core", ("schema", "create")),
    Step("ssx: tables", "ssx", ("database", "upgrade")),
    Step("auth: demo accounts", "auth", ("demo",), demo=True),
    Step("core: demo proposals", "core", ("demo",), demo=True),
    Step("ssx: demo run", "ssx", ("demo",), demo=True),
)


@dataclass(frozen=True, slots=True)
class Places:
    """Where secrets and states of the services are mounted, and where the gateway is published."""

    secrets: Path
    state: Path
    published: str


def prepare(configuration: Configuration, places: Places, *, within: float) -> None:
    """Run every step that is due, one start at a time. Raises CannotPrepare."""
    urls = {name: make_url(url) for name, url in urls_in(places.secrets).items()}
    demo = configuration.suite.environment == "local"
    if demo:
        _refuse_demo(urls, places.published)
    root_file = places.secrets / "mariadb" / ROOT_FILE
    root = root_file.read_text(encoding="utf-8") if root_file.exists() else None
    makers = {name: _maker(url, root) for name, url in urls.items()}
    with _alone(makers["core"], within) as cursor:
        if root is not None and urls["core"].host == BUNDLED_HOST:
            own_schema = configuration.section(CoreSettings).own_schema
            for name, url in urls.items():
                more = [own_schema] if name == "core" else []
                _make_room(cursor, url, [DATABASES[name], *more])
        for step in STEPS:
            if not step.demo:
                _run(step, makers[step.service], places.state)
            elif demo:
                _run_once(step, makers[step.service], places.state)


def _refuse_demo(urls: Mapping[str, URL], published: str) -> None:
    """The demo's passwords are known to everybody, and its rows have no place among real ones."""
    cure = 'set ISPYB_ENVIRONMENT=production in .env (environment = "local" makes a demo)'
    own = sorted(name for name, url in urls.items() if url.host != BUNDLED_HOST)
    if own:
        raise CannotPrepare(f"the database of {', '.join(own)} is the site's own: {cure}")
    if published != "localhost" and not ip_address(published).is_loopback:
        raise CannotPrepare(f"GATEWAY_ADDRESS={published} is open to others: {cure}")


def _maker(url: URL, root: str | None) -> URL:
    """Who makes tables there: root in our own database; the services may only change rows."""
    if url.host != BUNDLED_HOST or root is None:
        return url
    return url.set(username="root", password=root.strip())


def _make_room(cursor: Any, url: URL, databases: list[str]) -> None:
    """The databases of a service and its account, which may read and write rows in them."""
    account = "%s@'%%'"
    # The slow log is a part of the one log, and would repeat the password.
    cursor.execute("SET SESSION slow_query_log = 0")
    cursor.execute(f"CREATE USER IF NOT EXISTS {account}", (url.username,))
    # A secret that was given anew is in force from this start on.
    cursor.execute(f"ALTER USER {account} IDENTIFIED BY %s", (url.username, url.password))
    for database in databases:
        cursor.execute(f"CREATE DATABASE IF NOT EXISTS `{database}` CHARACTER SET utf8mb4")
        cursor.execute(f"GRANT {ROWS} ON `{database}`.* TO {account}", (url.username,))


@contextmanager
def _alone(url: URL, within: float) -> Iterator[Any]:
    """A cursor of the server, while no other start works on it."""
    connection = _connected(url, within)
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT GET_LOCK(%s, %s)", (LOCK, LOCK_SECONDS))
            if cursor.fetchone() != (1,):
                raise CannotPrepare(f"another start holds the databases since {LOCK_SECONDS} s")
            yield cursor
    finally:
        connection.close()


def _connected(url: URL, within: float) -> Any:
    """A connection; a server that is merely down is waited for. Raises CannotPrepare."""
    where, deadline = (
        url.set(query={}).render_as_string(hide_password=True),
        time.monotonic() + within,
    )
    # The bundled one has no database of ours before the first start.
    database = None if url.host == BUNDLED_HOST else url.database
    while True:
        try:
            return pymysql.connect(
                host=url.host,
                port=url.port or 3306,
                user=url.username,
                password=str(url.password or ""),
                database=database,
                connect_timeout=5,
                autocommit=True,
            )
        except pymysql.MySQLError as error:
            code, text = (*error.args, "", "")[:2]
            if code not in IS_DOWN:
                raise CannotPrepare(f"{where}: {text}") from error
            if time.monotonic() > deadline:
                raise CannotPrepare(
                    f"{where}: does not answer since {within:g} s: {text}"
                ) from error
            log.info("waiting for the database", extra={"where": where, "reason": str(text)})
        time.sleep(PAUSE)


def _run_once(step: Step, url: URL, state: Path) -> None:
    """What was deleted from the demo stays deleted, as long as the database is the same one."""
    note = state / "auth" / "demo" / f".{step.service}"
    made_for = sha256(url.set(password="").render_as_string().encode()).hexdigest()
    if note.exists() and note.read_text(encoding="ascii") == made_for:
        return
    _run(step, url, state)
    note.parent.mkdir(parents=True, exist_ok=True)
    note.write_text(made_for, encoding="ascii")


def _run(step: Step, url: URL, state: Path) -> None:
    """One command of a service, with its state and with the account that makes tables."""
    environment = {
        **os.environ,
        "ISPYB_STATE": str(state / step.service),
        f"ISPYB_{step.service.upper()}__DATABASE_URL": url.render_as_string(hide_password=False),
    }
    del environment[f"ISPYB_{step.service.upper()}__DATABASE_URL_FILE"]
    program = Path(sys.executable).with_name(f"pyispyb-{step.service}")
    done = subprocess.run(  # noqa: S603 - a command of this environment
        [program, *step.command], env=environment, capture_output=True, text=True, check=False
    )
    said = [line for line in (done.stdout + done.stderr).splitlines() if line.strip()]
    if done.returncode:
        raise CannotPrepare(f"{step.title}: {said[-1] if said else f'exit {done.returncode}'}")
    log.info(step.title, extra={"said": said})
