"""Free loopback ports, below those that the system hands out by itself."""

import random
import socket

RANGE = range(21500, 22000)


def free_port() -> int:
    """A port on which nobody listens just now."""
    for port in random.sample(RANGE, len(RANGE)):
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise RuntimeError(f"no free port in {RANGE}")
