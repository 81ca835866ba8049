"""The stage of the matrix: once for each kind of database."""

from collections.abc import Iterator

import pytest
from tests.cast import Issuing
from tests.core.matrix.stage import Stage, staged
from tests.peers.mariadb import MariaDb


@pytest.fixture(scope="package", params=["sqlite", "mariadb"])
def stage(
    request: pytest.FixtureRequest, issuing: Issuing, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Stage]:
    """The world behind core, on SQLite, then on MariaDB."""
    folder = tmp_path_factory.mktemp("matrix")
    url, own_schema = f"sqlite:///{folder / 'core.sqlite'}", "pyispyb_core"
    if request.param == "mariadb":
        server: MariaDb = request.getfixturevalue("mariadb")
        # New ones each time: a worker that comes back from another package makes the world again.
        url = server.url()
        own_schema = f"own_{url.partition('?')[0].rpartition('/')[2]}"
    with staged(url, own_schema, issuing, folder) as made:
        yield made
