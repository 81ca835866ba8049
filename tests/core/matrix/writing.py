"""Makes of who_writes_what and single_writes.py the writes, each on a world as it was."""

from collections.abc import Iterator
from typing import Any

from tests.core.matrix.cases import Case
from tests.core.matrix.single_writes import WRITES, Write
from tests.core.matrix.stage import Stage
from tests.core.matrix.tables_of_text import Line, read
from tests.core.matrix.watching import Snapshot
from tests.core.matrix.world import KINDS, World
from tests.core.matrix.world_of_named import BODIES_OF_NAMED, PARENTS_OF_NAMED
from tests.core.matrix.world_of_parts import BODIES_OF_PARTS, PARENTS_OF_PARTS
from tests.core.matrix.world_of_phasing import BODIES_OF_PHASING, PARENTS_OF_PHASING
from tests.core.matrix.world_of_words import BODIES_OF_WORDS
from werkzeug.test import TestResponse

NOTHING = 2_000_000_000  # an id that no row has

VALUES: dict[str, Any] = {
    "value2": 2.5,
    "beamLineName": "BL2",
    "beamlineName": "BL2",
    "capacity": 10,
    "energyMin": 6000.0,
    "localName": "changed",
    "beamLineOperator": "somebody",
    "billingReference": "4711",
    "cardName": "changed",
    "city": "Elsewhere",
    "comments": "changed",
    "completedTimeStamp": "2026-01-01T08:00:00",
    "dewarStatus": "at facility",
    "datasetNumber": 3,
    "endDate": "2035-01-01T08:00:00",
    "login": "somebody",
    "lowRes": 30.5,
    "method": "changed",
    "name": "changed",
    "nbShifts": 7,
    "personId": "@bob",
    "personUUID": "changed",
    "phasingMessage": "changed",
    "phoneNumber": "+00 1",
    "proposalNumber": "9999",
    "scheduled": 0,
    "siteId": 4711,
    "startDate": "2020-01-01T08:00:00",
    "state": "Closed",
    "spaceGroup": "P2",
    "status": "done",
    "manufacturerSerialNumber": "S9",
    "phiX": 1.5,
    "pointGroup": "222",
    "scale": 2.0,
    "storageLocation": "shelf 3",
    "title": "changed",
    "type": "changed",
    "trackingNumberFromSynchrotron": "T1",
    "trackingNumberToSynchrotron": "T2",
}
BODIES: dict[str, dict[str, Any]] = {
    "persons": {"familyName": "New", "givenName": "Somebody"},
    "laboratories": {"name": "New Laboratory"},
    "labcontacts": {"cardName": "next", "personId": "@investigator"},
    "proposals": {
        "proposalCode": "MX",
        "proposalNumber": "9001",
        "title": "next",
        "personId": "@alice",
    },
    "sessions": {
        "beamLineName": "BL1",
        "startDate": "2031-03-01T08:00:00",
        "endDate": "2031-03-02T08:00:00",
    },
    "shippings": {"shippingName": "next"},
    "dewars": {"code": "next"},
    "containers": {"code": "next", "containerType": "Unipuck", "capacity": 16},
    "samples": {"name": "next", "location": "16"},
    "crystals": {"name": "next", "spaceGroup": "P43212"},
    "proteins": {"acronym": "NEXT", "name": "next"},
    "dewar-transport-history": {
        "dewarStatus": "at facility",
        "storageLocation": "shelf 9",
        "arrivalDate": "2031-03-01T08:00:00",
    },
    "container-history": {"location": "7", "status": "at facility"},
    "container-queue": {},
    "container-queue-samples": {"blSampleId": "@MX1001/sample 3"},
    "sub-samples": {"comments": "next"},
    "sample-images": {"comments": "next", "imageFullPath": "/data/next.jpg"},
    "sample-groups": {"name": "next"},
    "ligands": {"name": "next"},
    "diffraction-plans": {"comments": "next", "userPath": "run1/first"},
    "beamline-setups": {"energyMin": 5000.0},
    "detectors": {"detectorModel": "next"},
    "beam-calendars": {
        "run": "2031-2",
        "beamStatus": "User",
        "startDate": "2031-03-01T08:00:00",
        "endDate": "2031-03-02T08:00:00",
    },
    "container-types": {"name": "next"},
    "experiment-types": {"name": "next"},
    "user-groups": {"name": "next"},
    "permissions": {"type": "next"},
    "component-types": {"name": "next"},
    "datacollection-groups": {"experimentType": "OSC", "comments": "next"},
    "datacollections": {"imagePrefix": "next", "numberOfImages": 100},
    "images": {"imageNumber": 1, "fileName": "next.cbf"},
    "grid-infos": {"steps_x": 4.0, "orientation": "horizontal"},
    "datacollection-attachments": {"fileFullPath": "/data/next.log", "fileType": "log"},
    "robot-actions": {
        "actionType": "LOAD",
        "message": "next",
        "startTimestamp": "2031-03-01T08:00:00",
        "endTimestamp": "2031-03-01T08:00:30",
    },
    "energy-scans": {"element": "Se"},
    "xfe-spectra": {"filename": "next.dat"},
    "processing-jobs": {"displayName": "next"},
    "processing-job-parameters": {"parameterKey": "next", "parameterValue": "1"},
    "screenings": {"shortComments": "next"},
    "screening-outputs": {"statusDescription": "next"},
    "screening-output-lattices": {"spaceGroup": "P1"},
    "screening-strategies": {"program": "next"},
    "xray-centrings": {"status": "success"},
    "xray-centring-results": {"numberOfVoxels": 9},
    "atlases": {"atlasImage": "/data/next.jpg", "pixelSize": 1.5},
    "grid-squares": {"gridSquareImage": "/data/next.jpg"},
    "foil-holes": {"foilHoleLabel": "next"},
    "movies": {"movieFullPath": "/data/next.tiff"},
    "motion-corrections": {"micrographFullPath": "/data/next.mrc"},
    "ctfs": {"comments": "next"},
    "particle-pickers": {"particlePickingTemplate": "next"},
    "particle-classification-groups": {"symmetry": "C1", "type": "2D"},
    "particle-classifications": {"classNumber": 1},
    "tomograms": {"volumeFile": "/data/next.mrc"},
    **BODIES_OF_PARTS,
    **BODIES_OF_NAMED,
    **BODIES_OF_WORDS,
    **BODIES_OF_PHASING,
}
# Where a parent's key has another name in the child's table, and what a beamline's name is there.
PARENTS = {
    ("robot-actions", "sessions"): "blsessionId",
    ("diffraction-plans", "proposals"): "presetForProposalId",
    ("particle-pickers", "motion-corrections"): "firstMotionCorrectionId",
    **PARENTS_OF_PARTS,
    **PARENTS_OF_NAMED,
    **PARENTS_OF_PHASING,
}
BEAMLINES = {"beamline-setups": "beamlineName"}
METHODS = {"create": "POST", "patch": "PATCH", "delete": "DELETE"}


def writes() -> Iterator[Case]:
    """Every write of the matrix."""
    for line in read("who_writes_what"):
        for who, cell in line.cells.items():
            yield _case(line, who, int(cell))
    for write in WRITES:

        def wrote(stage: Stage, write: Write = write) -> str | None:
            return _done(stage, write)

        body = ", ".join(f"{column}={value}" for column, value in write.body.items())
        yield Case(f"{write.who} writes", f"{write.what}: {body}", wrote)
    yield Case("alice writes", "an unseen foreign key reads as an absent one", _same_text)


def _case(line: Line, who: str, status: int) -> Case:
    def wrote(stage: Stage) -> str | None:
        return _done(stage, _write(stage.world, line.what, who, status))

    return Case(f"{who} {line.section}", line.what, wrote)


def _write(world: World, line: str, who: str, status: int) -> Write:
    """A line of the table as a write: its body is the parent, or the column's new value."""
    what, _, rest = line.partition(": ")
    verb, _, named = what.partition(" ")
    if verb == "delete":
        return Write(who, what, {}, status)
    if verb == "patch":
        return Write(who, what, {rest: VALUES[rest]}, status)
    noun, _, beamline = named.partition(" on ")
    body = dict(BODIES[noun])
    if beamline:
        body[BEAMLINES.get(noun, "beamLineName")] = beamline
    if rest:
        parent = world.rows[rest][0]
        body[PARENTS.get((noun, parent), KINDS[parent].key)] = f"@{rest}"
    return Write(who, f"create {noun}", body, status)


def _done(stage: Stage, write: Write) -> str | None:
    """Do it, compare the answer and the database with what should be, put the database back."""
    verb, _, named = write.what.partition(" ")
    noun = named if verb == "create" else stage.world.rows[named][0]
    before = stage.snapshot()
    answer = _send(stage, write)
    after = stage.snapshot()
    if before != after:
        stage.watched.restore(before, after)
    if answer.status_code != write.status:
        text = answer.get_data(as_text=True)[:300]
        return f"{answer.status_code} instead of {write.status}: {text}"
    if write.status >= 400:
        if before != after:
            changed = [name for name in before if before[name] != after[name]]
            return f"answered {write.status} and changed {', '.join(changed)}"
        return _unnamed(answer, write)
    return _missing(stage, write, noun, answer, before, after)


def request_of_write(world: World, line: str) -> tuple[str, dict[str, Any]]:
    """The path and the body of a line of the table."""
    return resolved(world, _write(world, line, "", 0))


def resolved(world: World, write: Write) -> tuple[str, dict[str, Any]]:
    """The path and the body of a write."""
    return _path(world, write), _resolved(world, write.body)


def _path(world: World, write: Write) -> str:
    verb, _, named = write.what.partition(" ")
    return named if verb == "create" else f"{world.rows[named][0]}/{world[named]}"


def _send(stage: Stage, write: Write) -> TestResponse:
    verb = write.what.partition(" ")[0]
    body = None if verb == "delete" else _resolved(stage.world, write.body)
    return stage.call(write.who, METHODS[verb], _path(stage.world, write), body)


def _resolved(world: World, body: dict[str, Any]) -> dict[str, Any]:
    """The body with the ids that stand behind its `@names`."""
    return {
        name: (NOTHING if value == "@nothing" else world[value[1:]])
        if isinstance(value, str) and value.startswith("@")
        else value
        for name, value in body.items()
    }


def _unnamed(answer: TestResponse, write: Write) -> str | None:
    """The fields that the problem should name and does not."""
    if answer.mimetype != "application/problem+json":
        return f"a problem as {answer.mimetype}"
    named = {error["field"] for error in answer.get_json().get("errors", [])}
    missing = set(write.names) - named
    return f"does not name {', '.join(sorted(missing))}" if missing else None


def _missing(
    stage: Stage,
    write: Write,
    noun: str,
    answer: TestResponse,
    before: Snapshot,
    after: Snapshot,
) -> str | None:
    """What a success should have done to the noun's table and did not."""
    kind = KINDS[noun]
    rows, was = after[kind.table], before[kind.table]
    if write.what.startswith("delete"):
        return None if len(rows) == len(was) - 1 else "deleted nothing, or too much"
    if write.what.startswith("create"):
        new = rows.keys() - was.keys()
        if len(new) != 1:
            return f"{len(new)} rows more"
        (key,) = new
        if not answer.headers.get("Location", "").endswith(f"/core/{noun}/{key[0]}"):
            return f"Location {answer.headers.get('Location')}"
    else:
        key = (stage.world[write.what.partition(" ")[2]],)
    shown = answer.get_json()
    if shown[kind.key] != key[0]:
        return "the answer is another row"
    for column, value in _resolved(stage.world, write.body).items():
        if isinstance(value, dict):  # a row that came with it
            continue
        stored = rows[key][column]
        if not column.endswith(("Date", "Timestamp", "TimeStamp")) and stored != value:
            return f"{column} is {stored!r} in the database"
    others = {k: row for k, row in rows.items() if k != key}
    if others != {k: row for k, row in was.items() if k != key}:
        return "other rows have changed"
    return None


def _same_text(stage: Stage) -> str | None:
    """The problem of an unseen id must be that of an absent one, letter for letter."""
    texts = []
    for contact in ("@MX1002/contact", "@nothing"):
        body = {"proposalId": "@MX1001", "shippingName": "next", "returnLabContactId": contact}
        answer = _send(stage, Write("alice", "create shippings", body, 422))
        texts.append((answer.status_code, answer.get_json().get("errors")))
    return None if texts[0] == texts[1] else f"{texts[0]} and {texts[1]}"
