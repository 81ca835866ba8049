"""One core for each flavour of a site's database, made when a test first asks for it."""

from collections.abc import Callable, Iterator

import pytest
from tests.cast import Issuing
from tests.core.conftest import Core
from tests.core.site.flavours import Flavour, make_site
from tests.peers.mariadb import MariaDb


@pytest.fixture(scope="module")
def site(
    mariadb: MariaDb, tmp_path_factory: pytest.TempPathFactory, issuing: Issuing
) -> Iterator[Callable[[Flavour], Core]]:
    """Gives the core on a database of a flavour."""
    made: dict[str, Core] = {}

    def core_on(flavour: Flavour) -> Core:
        if flavour.name not in made:
            folder = tmp_path_factory.mktemp("site")
            made[flavour.name] = make_site(mariadb, flavour, folder, issuing)
        return made[flavour.name]

    yield core_on
    for core in made.values():
        core.close()
