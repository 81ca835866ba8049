"""Free loopback ports, below those that the system hands out by itself, each given to one asker."""

import fcntl
import itertools
import os
import random
import socket
import tempfile
from pathlib import Path

RANGE = range(16000, 22000)
SHARES = 24


def _ours() -> range:
    """A share of the ports that no other test process of this user draws from while we live.

    A listener that shares its port (SO_REUSEPORT) is not refused, so trying a port is not enough
    between the workers of a run, or between two runs on one machine.
    """
    leases = Path(tempfile.gettempdir(), f"ispyb-test-ports-{os.getuid()}")
    file = os.open(leases, os.O_RDWR | os.O_CREAT, 0o600)
    for share in range(SHARES):
        try:
            # Ours until this process ends, however it ends.
            fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, share)
        except BlockingIOError:
            continue
        return RANGE[share::SHARES]
    raise RuntimeError(f"{SHARES} test processes share {RANGE} already")


_OURS = _ours()
# In turn, so that no port is given out again while its last asker may still start its server.
_TURN = itertools.cycle(random.sample(_OURS, len(_OURS)))


def free_port() -> int:
    """A port on which nobody listens just now, and which nobody else here was given lately."""
    for port in itertools.islice(_TURN, len(_OURS)):
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise RuntimeError(f"no free port in {RANGE}")
