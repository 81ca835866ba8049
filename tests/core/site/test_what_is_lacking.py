"""Core starts on a database that lacks what names the rows of others, and says what that takes."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from zoneinfo import ZoneInfo

import pytest
import sqlalchemy as sa

from pyispyb_chassis.nouns.catalogue import Catalogue
from pyispyb_chassis.site.reading import read_shape
from pyispyb_chassis.site.shape import Shape, SiteTable
from pyispyb_core.catalogue import NOUNS
from pyispyb_core.rules.chains import ASKED_FOR
from pyispyb_core.tables import tables_at, tables_for

OWN = "own"
NAMERS = sorted({name for noun in NOUNS for name in noun.named_by})


@pytest.fixture(scope="module")
def shape() -> Iterator[Shape]:
    """What an empty ISPyB on SQLite is made of."""
    engine = sa.create_engine("sqlite://")
    known = tables_for(sqlite=True, own_schema=OWN).known
    known.create_all(engine)
    with engine.connect() as connection:
        yield read_shape(connection, known.tables)
    engine.dispose()


def bound(shape: Shape, tables: Mapping[str, SiteTable]) -> Catalogue:
    """The nouns as a database with these tables alone has them."""
    there, _ = tables_at(
        replace(shape, tables=tables), sqlite=True, own_schema=OWN, asked=ASKED_FOR
    )
    return Catalogue(NOUNS, there.metadata, ZoneInfo("UTC"))


@pytest.mark.parametrize("name", NAMERS)
def test_what_names_others(shape: Shape, name: str) -> None:
    """Without its table, and without the column by which it names them."""
    path, _, column = name.partition(".")
    table = next(noun.table for noun in NOUNS if noun.path == path)
    there = shape.tables[table]
    columns = {key: one for key, one in there.columns.items() if key != column}
    for tables in (
        {key: one for key, one in shape.tables.items() if key != table},
        {**shape.tables, table: replace(there, columns=columns)},
    ):
        nouns = bound(shape, tables)
        assert path in nouns.absent or column in nouns[path].missing
        for noun in nouns:
            declared = next(one for one in NOUNS if one.path == noun.path)
            named = [f"{namer.path}.{by}" for namer, by in nouns.namers(noun)]
            assert set(named) == set(declared.named_by) - {
                one for one in declared.named_by if one.split(".")[0] in nouns.absent or one == name
            }
            assert named or noun.noun.belongs_to or not declared.named_by, noun.path


@pytest.mark.parametrize(
    ("table", "taken", "kept"),
    [
        ("Ligand_has_PDB", {"ligand-structures"}, {"structures", "ligands"}),
        ("Protein_has_PDB", {"protein-structures"}, {"structures", "proteins"}),
        ("ScreeningRank", {"screening-ranks", "screening-rank-sets"}, {"screenings"}),
        (
            "Phasing_has_Scaling",
            {"phasing-scalings", "phasing-analyses", "phasings", "phasing-statistics"},
            {"autoproc-scalings", "phasing-steps", "phasing-program-runs"},
        ),
        ("DataCollection", {"datacollections", "image-quality"}, {"sessions", "structures"}),
        ("Image", {"images"}, {"motor-positions", "datacollections"}),
    ],
)
def test_what_named_others_takes_them_along_where_nothing_else_names_them(
    shape: Shape, table: str, taken: set[str], kept: set[str]
) -> None:
    nouns = bound(shape, {name: one for name, one in shape.tables.items() if name != table})
    assert taken <= nouns.absent.keys()
    assert kept <= {noun.path for noun in nouns}
