"""Core answers every read as the hand-written table says."""

import pytest
from tests.core.matrix.cases import faults, grouped
from tests.core.matrix.reading import SEEN, reads
from tests.core.matrix.stage import Stage
from tests.core.matrix.tables_of_text import MARKS

READS = grouped(reads())


@pytest.mark.parametrize("group", READS)
def test_sees_what_the_table_says(stage: Stage, group: str) -> None:
    assert faults(stage, READS[group]) == []


def test_every_row_of_the_world_has_its_line(stage: Stage) -> None:
    lines = {(noun, row) for noun, rows in SEEN.items() for row in rows}
    assert lines == {(noun, row) for row, (noun, _) in stage.world.rows.items()}
    for noun in SEEN:
        unnamed = stage.values(noun).keys() - {stage.world[row] for row in SEEN[noun]}
        assert not unnamed, f"{noun} {unnamed}"


def test_every_reason_to_see_a_row_has_its_case() -> None:
    used = {mark for rows in SEEN.values() for cells in rows.values() for mark in cells.values()}
    assert used == MARKS
