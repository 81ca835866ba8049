"""Free loopback ports, below those that the system hands out by itself, each given to one asker."""

import itertools
import os
import random
import socket

RANGE = range(21000, 22000)
WORKERS = 4
# Workers of one run draw from ports of their own: a listener that shares its port is not refused.
_WORKER = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
_OURS = RANGE[_WORKER % WORKERS :: WORKERS]
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
