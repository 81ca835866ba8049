"""Core answers for rows within others' as the hand-written tables say."""

import pytest
from tests.core.matrix.cases import faults, grouped
from tests.core.matrix.stage import Stage
from tests.core.matrix.within import SEES, ids_of, reads, writes
from tests.core.matrix.world_within import WITHIN

READS = grouped(reads())
WRITES = grouped(writes())


@pytest.mark.parametrize("group", READS)
def test_sees_what_the_table_says(stage: Stage, group: str) -> None:
    assert faults(stage, READS[group]) == []


@pytest.mark.parametrize("group", WRITES)
def test_writes_what_the_table_says(stage: Stage, group: str) -> None:
    assert faults(stage, WRITES[group]) == []


def test_every_row_has_its_line(stage: Stage) -> None:
    rows = stage.snapshot()
    for noun, kind in WITHIN.items():
        there = {tuple(row[name] for name in kind.columns) for row in rows[kind.table].values()}
        lines = [line.what for line in SEES if line.section == noun]
        assert {ids_of(stage.world, what) for what in lines} == there
