"""Before a service listens: what is wrong ends its start with one line, what is down is awaited."""

import logging
import sys
import time
from datetime import UTC, datetime

from sqlalchemy import exc

from pyispyb_chassis.database import NOT_LET_IN, Database

log = logging.getLogger(__name__)

LOOK_AGAIN = 0.5
# Tokens are believed a few seconds late; a minute is a clock that nobody sets.
CLOCKS_APART = 60
NO_SUCH_DATABASE = 1049


def wait_for_database(url: str, name: str, seconds: float) -> bool:
    """Whether the database of the service `name` answers within these seconds.

    Ends the program where waiting does not help: it lets nobody in by this URL, or its clock and
    ours are a minute apart.
    """
    try:
        database = Database(url, pool_size=1)
    except OSError as fault:
        sys.exit(f"{name}: ispyb.toml [{name}] database_url: {fault}; name a folder of this user's")
    ends = time.monotonic() + seconds
    try:
        while (reason := _fault(database, name)) is not None:
            if time.monotonic() >= ends:
                log.warning("started without the database", extra={"reason": reason})
                return False
            log.info("waiting for the database", extra={"reason": reason})
            time.sleep(LOOK_AGAIN)
    finally:
        database.dispose()
    return True


def _fault(database: Database, name: str) -> str | None:
    """What keeps the database from answering just now, if anything does."""
    where = database.url.render_as_string(hide_password=True)
    setting = f"ispyb.toml [{name}] database_url ({where})"
    try:
        with database.read_engine.connect() as connection:
            if database.is_sqlite:
                connection.exec_driver_sql("SELECT 1")
            else:
                told = connection.exec_driver_sql("SELECT UTC_TIMESTAMP()").one()
                _compare_clocks(told[0], name)
    except exc.DBAPIError as error:
        code = error.orig.args[0] if error.orig is not None and error.orig.args else None
        if code == NO_SUCH_DATABASE:
            sys.exit(f"{name}: {setting}: there is no such database; create it, or name another")
        if code in NOT_LET_IN:
            sys.exit(
                f"{name}: {setting}: the server does not let this user in (error {code});"
                " mend the user, the password, or its grants"
            )
        if database.is_sqlite:
            sys.exit(f"{name}: {setting}: {error.orig}; this user must be able to write there")
        return f"error {code}"
    except exc.TimeoutError:
        return "no answer"
    return None


def _compare_clocks(theirs: datetime, name: str) -> None:
    apart = (datetime.now(UTC) - theirs.replace(tzinfo=UTC)).total_seconds()
    if abs(apart) > CLOCKS_APART:
        sys.exit(
            f"{name}: the clock of this machine is {apart:+.0f} s off the database's: tokens would"
            " end early or never; set both by NTP"
        )
