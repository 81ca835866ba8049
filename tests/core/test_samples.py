"""Samples among others: one name under an acronym, one place in a container, moved, looked up."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from tests.cast import ALICE, BOB, CAROL, ERIN, OSCAR, Issuing, Somebody
from tests.core.conftest import Core, make_core

RACERS = 8
NAMED = "of this proposal has this name under the same acronym"
PLACED = "is in this place of the container"
_numbers = count(1)


def made(core: Core, path: str, body: Any, who: Somebody = ALICE) -> Any:
    answer = core.call(who, "POST", path, body)
    assert answer.status_code == 201, answer.text
    return answer.get_json()


class Bench:
    """A new dewar of a proposal, with the things that a test puts into it."""

    def __init__(self, core: Core, who: Somebody, proposal: str) -> None:
        self._core, self._who = core, who
        self.proposal = core.one(f"/proposals?proposal={proposal}")["proposalId"]
        shipping = self.make("/shippings", proposalId=self.proposal, shippingName="bench")
        self.dewar = self.make("/dewars", shippingId=shipping["shippingId"], code="bench")[
            "dewarId"
        ]

    def make(self, path: str, **body: Any) -> Any:
        return made(self._core, path, body, self._who)

    def container(self) -> int:
        code = f"bench-{next(_numbers)}"
        return int(self.make("/containers", dewarId=self.dewar, code=code)["containerId"])

    def crystal(self, acronym: str) -> dict[str, Any]:
        protein = self.make("/proteins", proposalId=self.proposal, acronym=acronym)
        return dict(self.make("/crystals", proteinId=protein["proteinId"]))

    def sample(self, crystal: dict[str, Any] | None = None, **more: Any) -> dict[str, Any]:
        name = f"b{next(_numbers)}"
        of = {} if crystal is None else {"crystalId": crystal["crystalId"]}
        return dict(self.make("/samples", **{"name": name, **of, **more}))


@pytest.fixture
def bench(core: Core) -> Bench:
    return Bench(core, ALICE, "MX1001")


@pytest.fixture
def acronym() -> str:
    return f"ACR{next(_numbers)}"


def refused(answer: Any, status: int = 409) -> dict[str, str]:
    assert answer.status_code == status, answer.text
    return {error["field"]: error["detail"] for error in answer.get_json()["errors"]}


def test_a_name_is_one_samples_under_its_acronym(core: Core, bench: Bench, acronym: str) -> None:
    """Two proteins of one acronym are one to files: case and trailing blanks count for nothing."""
    crystal, twin = bench.crystal(acronym), bench.crystal(acronym.lower())
    first = bench.sample(crystal, name="x1")
    told = {"name": f"sample {first['blSampleId']} {NAMED}"}
    for other in (crystal, twin):
        for name in ("x1", "X1"):
            body = {"crystalId": other["crystalId"], "name": name}
            assert refused(core.call(ALICE, "POST", "/samples", body)) == told
    bench.sample(bench.crystal(f"{acronym}b"), name="x1")
    theirs = Bench(core, BOB, "MX1002")
    theirs.sample(theirs.crystal(acronym), name="x1")
    container = bench.container()
    for location in ("1", "2"):  # without a crystal there is no acronym
        bench.sample(containerId=container, name="x1", location=location)


def test_no_patch_makes_two_of_one_name(core: Core, bench: Bench, acronym: str) -> None:
    crystal, other = bench.crystal(acronym), bench.crystal(f"{acronym}b")
    first, second = bench.sample(crystal, name="x1"), bench.sample(crystal, name="x2")
    third = bench.sample(other, name="x1")
    before = core.rows("BLSample"), core.rows("Crystal"), core.rows("Protein")
    cases: list[tuple[str, dict[str, Any], dict[str, Any]]] = [
        (f"/samples/{second['blSampleId']}", {"name": "x1"}, first),
        (f"/samples/{third['blSampleId']}", {"crystalId": crystal["crystalId"]}, first),
        (f"/crystals/{other['crystalId']}", {"proteinId": crystal["proteinId"]}, first),
        (f"/proteins/{other['proteinId']}", {"acronym": acronym}, first),
    ]
    for path, body, twin in cases:
        (told,) = refused(core.call(ALICE, "PATCH", path, body)).items()
        assert told[0] == next(iter(body))
        assert f"sample {twin['blSampleId']} of this proposal" in told[1]
    assert (core.rows("BLSample"), core.rows("Crystal"), core.rows("Protein")) == before
    path = f"/samples/{first['blSampleId']}"
    answer = core.call(ALICE, "PATCH", path, {"name": "x1", "comments": "the same"})
    assert answer.status_code == 200, answer.text


def test_what_is_alike_already_can_be_changed(core: Core, bench: Bench, acronym: str) -> None:
    """Another program made two of one name: each is still corrected, and renamed."""
    crystal = bench.crystal(acronym)
    bench.sample(crystal, name="x1")
    second = bench.sample(crystal, name="x2")
    table = core.tables["BLSample"]
    row = table.c.blSampleId == second["blSampleId"]
    with core.database.writing() as connection:
        connection.execute(table.update().where(row).values(name="x1"))
    path = f"/samples/{second['blSampleId']}"
    for body in ({"name": "x1", "comments": "seen"}, {"name": "x3"}):
        assert core.call(ALICE, "PATCH", path, body).status_code == 200


def test_a_place_holds_one_sample(core: Core, bench: Bench) -> None:
    container = bench.container()
    first = bench.sample(containerId=container, location="1")
    second = bench.sample(containerId=container, location="2")
    told = f"sample {first['blSampleId']} {PLACED}"
    body = {"containerId": container, "name": "p", "location": "1"}
    assert refused(core.call(ALICE, "POST", "/samples", body)) == {"location": told}
    path = f"/samples/{second['blSampleId']}"
    assert refused(core.call(ALICE, "PATCH", path, {"location": "1"})) == {"location": told}
    drops = [bench.sample(containerId=container, location="3", subLocation=n) for n in (1, 2)]
    path = f"/samples/{drops[1]['blSampleId']}"
    assert refused(core.call(ALICE, "PATCH", path, {"subLocation": 1})).keys() == {"subLocation"}
    for _ in range(2):  # no place yet
        bench.sample(containerId=container)
    bench.sample(containerId=bench.container(), location="1")


def test_a_container_is_filled_by_one_body(core: Core, bench: Bench, acronym: str) -> None:
    crystal, container = bench.crystal(acronym), bench.container()
    bodies = [
        {"crystalId": crystal["crystalId"], "containerId": container, "name": f"f{n}",
         "location": str(n)}
        for n in range(16)
    ]  # fmt: skip
    page = made(core, "/samples", bodies)
    assert [one["location"] for one in page["results"]] == [str(n) for n in range(16)]
    assert core.get(ALICE, f"/samples?containerId={container}")["total"] == 16
    again = [{**one, "name": f"g{n}", "location": str(n + 20)} for n, one in enumerate(bodies)]
    again[3]["location"] = "4"
    again[5]["name"] = "g1"
    again[6]["location"], again[6]["name"] = "20", "F2"
    stored = {one["location"]: one["blSampleId"] for one in page["results"]}
    told = refused(core.call(ALICE, "POST", "/samples", again))
    assert told == {
        "[3].location": f"sample {stored['4']} {PLACED}",
        "[5].name": "the same as [1]",
        "[6].location": "the same as [0]",
        "[6].name": f"sample {stored['2']} {NAMED}",
    }
    assert core.get(ALICE, f"/samples?containerId={container}")["total"] == 16


@pytest.mark.parametrize("what", ["name", "location"])
def test_of_racing_creates_one_wins(core: Core, bench: Bench, acronym: str, what: str) -> None:
    crystal, container = bench.crystal(acronym), bench.container()

    def create(n: int) -> int:
        body: dict[str, Any] = {"containerId": container, "crystalId": crystal["crystalId"]}
        body |= {"name": f"r{n}", "location": str(n), what: "7"}
        with core.client.application.test_client() as client:
            headers = core.issuing.bearer(ALICE)
            return client.post("/core/samples", json=body, headers=headers).status_code

    with ThreadPoolExecutor(RACERS) as threads:
        statuses = sorted(threads.map(create, range(RACERS)))
    # On a busy machine one may wait for its turn too long: it may come again, nothing is stored.
    assert statuses.count(201) == 1
    assert set(statuses) <= {201, 409, 503}
    assert core.get(ALICE, f"/samples?containerId={container}&{what}=7")["total"] == 1


def test_a_sample_moves_where_its_writer_may_write(core: Core, bench: Bench) -> None:
    here, there = bench.container(), bench.container()
    sample = bench.sample(containerId=here, location="1")
    taken = bench.sample(containerId=there, location="1")
    path = f"/samples/{sample['blSampleId']}"
    theirs = Bench(core, BOB, "MX1002").container()
    told = refused(core.call(ALICE, "PATCH", path, {"containerId": there}))
    assert told == {"containerId": f"sample {taken['blSampleId']} {PLACED}"}
    moved = core.call(ALICE, "PATCH", path, {"containerId": there, "location": "2"})
    assert (moved.status_code, moved.get_json()["containerId"]) == (200, there)
    for who, target, status in (
        (ALICE, theirs, 404),  # not hers to see
        (BOB, theirs, 404),
        (CAROL, here, 403),  # staff see it
        (OSCAR, here, 404),
        (None, here, 401),
    ):
        answer = core.call(who, "PATCH", path, {"containerId": target})
        assert answer.status_code == status, (who, answer.text)
    assert core.get(ALICE, path)["containerId"] == there


@pytest.fixture
def relaxed(each_database: str, tmp_path: Path, issuing: Issuing) -> Iterator[Core]:
    """A core whose site calls its samples as it likes."""
    more = 'name_pattern = "[^/]+"\nunique_sample_names = false'
    core = make_core(each_database, tmp_path, issuing, more=more)
    yield core
    core.close()


def test_a_site_may_relax_both_rules(relaxed: Core, acronym: str) -> None:
    bench = Bench(relaxed, ALICE, "MX1001")
    crystal = bench.crystal(f"{acronym} β")
    for _ in range(2):
        assert bench.sample(crystal, name="x.1 (best)")["name"] == "x.1 (best)"
    body = {"crystalId": crystal["crystalId"], "name": "a/b"}
    assert refused(relaxed.call(ALICE, "POST", "/samples", body), 422).keys() == {"name"}
    container = bench.container()
    bench.sample(containerId=container, location="1")
    body = {"containerId": container, "name": "p", "location": "1"}
    assert refused(relaxed.call(ALICE, "POST", "/samples", body)).keys() == {"location"}


@pytest.mark.parametrize("name", ["", "a/b", "../x", "a b", "ä", "x.y", "a\n", "$(id)"])
def test_names_are_safe_in_paths(core: Core, bench: Bench, acronym: str, name: str) -> None:
    crystal = bench.crystal(acronym)
    for path, body, field in (
        ("/samples", {"crystalId": crystal["crystalId"], "name": name}, "name"),
        ("/proteins", {"proposalId": bench.proposal, "acronym": name}, "acronym"),
        ("/containers", {"dewarId": bench.dewar, "code": name}, "code"),
        ("/sample-groups", {"proposalId": bench.proposal, "name": name}, "name"),
    ):
        assert refused(core.call(ALICE, "POST", path, body), 422).keys() == {field}
    assert core.get(ERIN, f"/samples?crystalId={crystal['crystalId']}")["total"] == 0


def names(core: Core, who: Somebody, query: str) -> list[str]:
    rows = core.get(who, f"/samples?{query}&sort=name&limit=200")["results"]
    return [row["name"] for row in rows]


def test_samples_are_looked_up_by_names(core: Core, bench: Bench, acronym: str) -> None:
    """What a beamline asks: the samples of MX1001 at BL1, and one of them by what it is called."""
    container, other = bench.container(), bench.container()
    path = f"/containers/{container}"
    assert core.call(ALICE, "PATCH", path, {"beamlineLocation": "BL1"}).status_code == 200
    crystal = bench.crystal(acronym)
    first = bench.sample(crystal, containerId=container, name="look-1")
    bench.sample(crystal, containerId=other, name="look-2")
    bench.sample(containerId=container, name="look-3")
    session = core.get(ALICE, "/sessions?beamLineName=BL1&proposal=MX1001&limit=1")["results"][0]
    at_session = made(
        core, "/containers", {"sessionId": session["sessionId"], "code": f"s{acronym}"}, ERIN
    )
    bench.sample(containerId=at_session["containerId"], name="look-4")
    mine = f"name[like]=look-*&containerId[gte]={container}&proposal=MX1001"
    assert names(core, ALICE, mine) == ["look-1", "look-2", "look-3", "look-4"]
    assert names(core, ALICE, f"{mine}&beamLineName=bl1") == ["look-1", "look-3", "look-4"]
    assert names(core, ALICE, f"proposal=MX1001&acronym={acronym.lower()}") == ["look-1", "look-2"]
    assert names(core, ALICE, f"proposal=MX1001&acronym={acronym}&name=LOOK-1") == ["look-1"]
    assert names(core, CAROL, f"{mine}&beamLineName=BL1") == ["look-1", "look-3", "look-4"]
    assert names(core, BOB, mine) == names(core, OSCAR, mine) == []
    assert names(core, ALICE, "proposal=MX1002") == names(core, ALICE, "proposal=MX") == []
    wanted = "fields=name,Container.code,Crystal.Protein.acronym&include=Container,Crystal.Protein"
    query = f"proposal=MX1001&acronym={acronym}&name=look-1&{wanted}"
    (row,) = core.get(ALICE, f"/samples?{query}")["results"]
    assert row["name"] == first["name"]
    assert row["Crystal"]["Protein"]["acronym"] == acronym
    for fault in ("acronym[like]=a*", "proposal[in]=MX1001", "acronym[null]=true"):
        assert core.call(ALICE, "GET", f"/samples?{fault}").status_code == 400
    answer = core.call(ALICE, "GET", "/samples?colour=red")
    assert "acronym" in answer.get_json()["errors"][0]["detail"]


def test_a_look_up_ends_where_the_viewer_does_not_see(core: Core) -> None:
    """A participant sees the samples of their session, and not the containers they came in."""
    seen = core.get(BOB, "/samples?proposal=MX1001&include=Container")["results"]
    assert seen
    assert all(row["Container"] is None for row in seen)
    for row in seen:
        container = core.get(ERIN, f"/samples/{row['blSampleId']}?include=Container")["Container"]
        path = f"/containers/{container['containerId']}"
        body = {"beamlineLocation": "BL2"}
        assert core.call(ERIN, "PATCH", path, body).status_code == 200
    assert core.get(ERIN, "/samples?proposal=MX1001&beamLineName=BL2")["total"] >= len(seen)
    assert core.get(BOB, "/samples?proposal=MX1001&beamLineName=BL2")["total"] == 0
