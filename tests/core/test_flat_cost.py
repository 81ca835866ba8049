"""What a read costs MariaDB does not grow with its tables: plans, and rows that were read."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from sqlalchemy import event
from tests.cast import ALICE, ERIN, Issuing, Somebody
from tests.core.conftest import Core, make_core
from tests.core.many_rows import FIRST, add_many, add_member, is_small
from tests.core.test_include_properties import catalogue
from tests.peers.mariadb import MariaDb

from pyispyb_chassis.nouns.catalogue import Bound

FEW, MORE, MANY = 500, 3_000, 20_000
HERS = range(1, 6)  # the proposals that alice is a member of besides her own
ONE = FIRST + 3
MXCUBE = "include=Container,Crystal.Protein,DiffractionPlan&limit=25&total=false"
SAMPLES = [
    f"/samples?containerId={ONE}&{MXCUBE}",
    f"/samples?crystalId={ONE}&{MXCUBE}",
    f"/samples?{MXCUBE}",
    f"/samples?proposal=MX1001&{MXCUBE}",
]
BY_NAME = "/persons?total=false&sort=familyName"  # no index has it: this one does grow
NOUNS = [noun for noun in catalogue() if not is_small(noun)]
AROUND_SAMPLES = [
    catalogue()[path]
    for path in (
        "proposals",
        "sessions",
        "shippings",
        "dewars",
        "containers",
        "proteins",
        "crystals",
        "diffraction-plans",
        "samples",
    )
]
# Lists whose order without `sort` no index gives; by their key they are as cheap as the others.
SORTED_BY_HAND = {
    "container-queue": "the first to come is the first to be measured",
    "dewar-registry": "by the code that stands on the dewar",
    "labcontacts": "by the name on the card",
    "laboratories": "by name",
    "ligands": "by name",
    "persons": "by name",
    "proposals": "by code and number",
    "proteins": "by acronym",
    "sample-groups": "by name",
    "sessions": "the latest first",
    "shippings": "the latest first",
}
# Until another row names one it is its maker's: a member's list may look at each for who made it,
# as the server's guess at its tables has it.
NAMED_BY_OTHERS = {noun.path for noun in NOUNS if noun.noun.named_by}
ALWAYS = {(ERIN.login, BY_NAME)}
GROWS = ALWAYS | {(ALICE.login, f"/{path}?total=false") for path in NAMED_BY_OTHERS}
Statement = tuple[str, Any]


@dataclass(slots=True)
class Site:
    """A core on MariaDB whose tables grow, and the statements of requests made to it."""

    core: Core
    statements: dict[tuple[str, str], list[Statement]] = field(default_factory=dict)

    def ask(self, who: Somebody, path: str) -> None:
        """Make a request, and keep the statements that read rows for it."""
        (database,) = self.core.client.application.extensions["pyispyb_databases"]
        seen: list[Statement] = []

        def note(
            _connection: object, _cursor: object, statement: str, values: Any, *_: Any
        ) -> None:
            if " FROM " in statement.replace("\n", " "):
                seen.append((statement, values))

        event.listen(database.read_engine, "after_cursor_execute", note)
        try:
            assert self.core.get(who, path), path
        finally:
            event.remove(database.read_engine, "after_cursor_execute", note)
        self.statements[who.login, path] = seen

    def read_rows(self) -> dict[tuple[str, str], int]:
        """How often the server goes to a row or an index for each request now."""
        found: dict[tuple[str, str], int] = {}
        with self.core.database.looking() as connection:
            for request, statements in self.statements.items():
                connection.exec_driver_sql("FLUSH STATUS")
                for statement, values in statements:
                    connection.exec_driver_sql(statement, values).all()
                told = connection.exec_driver_sql("SHOW SESSION STATUS LIKE 'Handler_read%%'")
                found[request] = sum(int(count) for _, count in told.all())
        return found

    def scans(self) -> dict[tuple[str, str], list[str]]:
        """The tables that the server would read whole, or sort, for each request."""
        found: dict[tuple[str, str], list[str]] = {}
        with self.core.database.looking() as connection:
            for request, statements in self.statements.items():
                for statement, values in statements:
                    plan = connection.exec_driver_sql(f"EXPLAIN {statement}", values).mappings()
                    for step in plan.all():
                        many = int(str(step["rows"] or 0).split()[0]) > FEW
                        if many and (step["type"] == "ALL" or "filesort" in step["Extra"]):
                            found.setdefault(request, []).append(str(step["table"]))
        return found


@pytest.fixture
def site(
    mariadb: MariaDb, tmp_path_factory: pytest.TempPathFactory, issuing: Issuing
) -> Iterator[Site]:
    """A site with a few rows of everything."""
    core = make_core(mariadb.url(), tmp_path_factory.mktemp("flat"), issuing)
    alice = core.one("/persons?login=alice")["personId"]
    with core.database.writing() as connection:
        add_many(connection, NOUNS, 1, FEW)
        add_member(connection, catalogue(), alice, HERS)
    yield Site(core)
    core.close()


def test_what_is_read_does_not_grow_with_the_tables(site: Site) -> None:
    """Every noun by its key; a member's items, lists, and lists below each parent."""
    for noun in NOUNS:
        for who, path in _requests(noun):
            site.ask(who, path)
    for path in SAMPLES:
        site.ask(ALICE, path)
    site.ask(ERIN, BY_NAME)
    before = site.read_rows()
    with site.core.database.writing() as connection:
        add_many(connection, NOUNS, FEW + 1, MORE)
    after = site.read_rows()
    for grown in (_grown(before, after), site.scans()):
        assert ALWAYS <= grown.keys() <= GROWS
    with site.core.database.writing() as connection:
        add_many(connection, AROUND_SAMPLES, MORE + 1, MANY)
    assert ALWAYS <= _grown(before, site.read_rows()).keys() <= GROWS


def test_which_lists_are_sorted_without_an_index(site: Site) -> None:
    with site.core.database.writing() as connection:
        add_many(connection, NOUNS, FEW + 1, MORE)
    for noun in NOUNS:
        if noun.noun.within is None:
            site.ask(ERIN, f"/{noun.path}?total=false")
    paths = {path.partition("?")[0].removeprefix("/") for _, path in site.scans()}
    assert paths == set(SORTED_BY_HAND)


def _requests(noun: Bound) -> Iterator[tuple[Somebody, str]]:
    if noun.noun.within is not None:
        yield ALICE, f"/{catalogue().mount(noun).format(parent=ONE)}?total=false"
        return
    yield ERIN, f"/{noun.path}?total=false&sort=-{noun.key}"
    yield ALICE, f"/{noun.path}/{ONE}"
    yield ALICE, f"/{noun.path}?total=false"
    for column in noun.noun.belongs_to:
        yield ALICE, f"/{noun.path}?total=false&{column}={ONE}"


def _grown(
    before: dict[tuple[str, str], int], after: dict[tuple[str, str], int]
) -> dict[tuple[str, str], tuple[int, int]]:
    """The requests that cost more than before: by more than an estimate's worth."""
    return {
        request: (before[request], count)
        for request, count in after.items()
        if count > max(1.3 * before[request], before[request] + 60)
    }
