"""The gateway of each test module, started once."""

from collections.abc import Iterator

import pytest
from tests.gateway.stand import Stand, running
from tests.gateway.tokens import Key


@pytest.fixture(scope="module")
def stand(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stand]:
    """Default settings, and two keys of one issuer: the one in use and the next."""
    with running(tmp_path_factory.mktemp("gateway"), [Key("now"), Key("next")]) as found:
        yield found
