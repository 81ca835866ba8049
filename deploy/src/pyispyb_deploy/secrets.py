"""The secrets of the containers: what a site gives is taken, the rest is made, once."""

import fcntl
import os
import secrets
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

BUNDLED_HOST = "mariadb"
DATABASES = {"auth": "pyispyb_auth", "core": "ispyb", "ssx": "pyispyb_ssx"}
URL_FILE, ROOT_FILE = "database_url", "root_password"
FOLDER_MODE, FILE_MODE = 0o700, 0o600
LENGTH = 24


class CannotPrepare(Exception):
    """The containers cannot start as they are configured; the text says why, a line each."""


def make_secrets(given: Path, folder: Path, *, bundled: bool) -> list[str]:
    """Fill `folder` with a sub-folder for each container; gives what was done, a line each.

    `given` holds what the site gives, an empty file where it gives nothing. What was made before
    is kept, so that any number of starts, at once too, end with the same secrets.
    Raises CannotPrepare.
    """
    with _alone(folder / "auth"):
        wanted = {name: _given(given / f"{name}_{URL_FILE}") for name in DATABASES}
        faults = [
            f"{name}_{URL_FILE}: {fault}"
            for name, url in wanted.items()
            if (fault := _fault(url or _kept(folder / name / URL_FILE), bundled=bundled))
        ]
        if faults:
            raise CannotPrepare("\n".join(faults))
        done = [
            _settle(folder / name / URL_FILE, url, _url(name, DATABASES[name]))
            for name, url in wanted.items()
        ]
        if bundled:
            root = _given(given / f"mariadb_{ROOT_FILE}")
            done.append(_settle(folder / "mariadb" / ROOT_FILE, root, _password()))
    return [line for line in done if line]


def _settle(file: Path, given: str, otherwise: str) -> str:
    """Have `file` hold what is given, else what it holds, else something new."""
    kept = _kept(file)
    if kept and given in {"", kept}:
        return ""
    _write(file, given or otherwise)
    return f"{file}: {'taken from the site' if given else 'made'}"


def _fault(url: str, *, bundled: bool) -> str | None:
    """Why this URL cannot be used; an empty one is for us to make, if the database is ours."""
    if not url:
        return None if bundled else "is not given, and MARIADB=0 leaves our database out"
    try:
        host = make_url(url).host
    except (ArgumentError, ValueError):  # its own text would tell the password
        return "is not a database URL: mariadb+pymysql://user:password@host/name"
    if host == BUNDLED_HOST and not bundled:
        return "names our own database, which MARIADB=0 leaves out"
    return None


def _given(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8").strip()
    except FileNotFoundError:
        return ""
    except (OSError, ValueError) as error:
        why = error.strerror if isinstance(error, OSError) else "not a text in UTF-8"
        raise CannotPrepare(
            f"{file.name}: the file that the site gives cannot be read by user {os.getuid()}: {why}"
        ) from error


def _kept(file: Path) -> str:
    return file.read_text(encoding="utf-8").strip() if file.exists() else ""


def _url(name: str, database: str) -> str:
    return f"mariadb+pymysql://pyispyb_{name}:{_password()}@{BUNDLED_HOST}:3306/{database}"


def _password() -> str:
    """Letters, digits, `-` and `_`: the same in a URL and out of it."""
    return secrets.token_urlsafe(LENGTH)


def _write(file: Path, text: str) -> None:
    """Whole or not at all, for this user only."""
    unfinished = file.with_suffix(".new")
    opened = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, FILE_MODE)
    with os.fdopen(opened, "w", encoding="utf-8") as out:
        out.write(text)
        out.flush()
        os.fsync(out.fileno())
    unfinished.replace(file)


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    try:
        folder.mkdir(mode=FOLDER_MODE, parents=True, exist_ok=True)
        opened = os.open(folder / ".lock", os.O_WRONLY | os.O_CREAT, FILE_MODE)
    except OSError as error:
        raise CannotPrepare(f"{folder}: cannot be written: {error.strerror}") from error
    try:
        fcntl.flock(opened, fcntl.LOCK_EX)
        yield
    finally:
        os.close(opened)


def urls_in(folder: Path) -> Mapping[str, str]:
    """The database URL of each service, as `make_secrets` left it."""
    return {name: _kept(folder / name / URL_FILE) for name in DATABASES}
