"""What a service keeps of its issuers in its state folder, for a start while they are down."""

import hashlib
import logging
import os
import threading
from pathlib import Path

log = logging.getLogger(__name__)


class Shelf:
    """Small files in one folder, each replaced as a whole; without a folder nothing is kept."""

    def __init__(self, folder: Path | None) -> None:
        self._folder = folder

    def keep(self, kind: str, whose: str, data: bytes) -> None:
        """Keep this in place of what was kept; that it cannot be kept is no fault of anything."""
        if self._folder is None:
            return
        place = self._place(kind, whose)
        unfinished = place.with_suffix(f".{os.getpid()}.{threading.get_ident()}")
        try:
            self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            unfinished.touch(mode=0o600)
            unfinished.write_bytes(data)
            unfinished.replace(place)
        except OSError as error:
            log.warning("not kept for a restart", extra={"kind": kind, "fault": error.strerror})

    def get(self, kind: str, whose: str) -> bytes | None:
        """What was last kept, by whichever worker; None where there is nothing."""
        try:
            return self._place(kind, whose).read_bytes() if self._folder is not None else None
        except OSError:
            return None

    def _place(self, kind: str, whose: str) -> Path:
        name = hashlib.sha256(whose.encode()).hexdigest()[:32]
        return Path(self._folder or "") / f"{name}.{kind}"
