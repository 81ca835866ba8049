"""Has the keys of the issuers followed: what depends on them is made again when they change."""

import logging
import os
import tempfile
import threading
from collections.abc import Callable, Sequence
from pathlib import Path

from pyispyb_gateway.keyring import Keyring
from pyispyb_gateway.keys import Credential

log = logging.getLogger(__name__)
Publish = Callable[[Sequence[Credential]], None]
READABLE = 0o644


class CannotStart(Exception):
    """The gateway cannot run as it is configured; the text says why, a line each."""


def follow(keyring: Keyring, publish: Publish, every: float) -> threading.Thread:
    """Look every so many seconds, in a thread that ends with the process."""
    thread = threading.Thread(
        target=_follow, args=(keyring, publish, every, threading.Event()), daemon=True
    )
    thread.start()
    return thread


def _follow(keyring: Keyring, publish: Publish, every: float, never: threading.Event) -> None:
    behind, said = False, ""
    while not never.wait(every):
        try:
            behind = keyring.look() or behind
            if behind:
                publish(keyring.credentials)
                kids = [key["key"] for key in keyring.credentials]
                log.info("the gateway follows a change of keys", extra={"kids": kids})
                behind, said = False, ""
        except CannotStart as fault:
            if str(fault) != said:
                log.error("new keys are not used", extra={"reason": str(fault)})
            said = str(fault)
        except Exception:
            log.exception("new keys are not used")


def write(path: Path, text: str) -> None:
    """Put `text` in the place of the file, whole or not at all; raises CannotStart."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        try:
            with os.fdopen(handle, "w", encoding="utf-8") as file:
                file.write(text)
            # Kong's container reads it as another user; there is nothing secret in it.
            Path(name).chmod(READABLE)
            Path(name).replace(path)
        finally:
            Path(name).unlink(missing_ok=True)
    except OSError as error:
        raise CannotStart(f"{path}: cannot be written: {error.strerror}") from error
