"""Core answers every write as the hand-written tables say, and writes nothing that it refuses."""

import pytest
from tests.core.matrix.cases import faults, grouped
from tests.core.matrix.stage import Stage
from tests.core.matrix.writing import writes

WRITES = grouped(writes())


@pytest.mark.parametrize("group", WRITES)
def test_writes_what_the_table_says(stage: Stage, group: str) -> None:
    assert faults(stage, WRITES[group]) == []
