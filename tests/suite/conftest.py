"""One fresh clone for the whole suite test, and one suite that runs in it until it is ended."""

import socket
from collections.abc import Iterator

import pytest
from tests.suite.running import Clone, Run

PORTS = range(23000, 23100)
SHIFTS = (0, 101, 102, 103, 1101, 1102, 1103)


def is_free(port: int) -> bool:
    """Does nobody listen there."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def free_port(*taken: int) -> int:
    """A port for `make run` whose other ports are free too."""
    return next(
        port
        for port in PORTS
        if port not in taken and all(is_free(port + shift) for shift in SHIFTS)
    )


@pytest.fixture(scope="session")
def clone(tmp_path_factory: pytest.TempPathFactory) -> Clone:
    """The committed tree, cloned into a folder that nothing has touched."""
    return Clone(tmp_path_factory.mktemp("suite"), free_port())


@pytest.fixture(scope="session")
def first_run(clone: Clone) -> Iterator[Run]:
    """The first `make run` of the clone."""
    with clone.start() as run:
        yield run
