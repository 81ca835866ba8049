"""Writes that fit no table: foreign keys, moves, broken chains, columns; one line a case.

`@name` stands for the id of that row of the world, `@nothing` for an id that no row has.
Each case: who, what, body, the status, and the fields that the answer must name as faults.
"""

from typing import Any, NamedTuple

from tests.core.matrix.keys_of_parts import KEYS_OF_PARTS
from tests.core.matrix.keys_of_the_queue import KEYS_OF_THE_QUEUE


class Write(NamedTuple):
    """One write and what must come of it."""

    who: str
    what: str
    body: dict[str, Any]
    status: int
    names: tuple[str, ...] = ()


_TIMES = {"startDate": "2031-03-01T08:00:00", "endDate": "2031-03-02T08:00:00"}

_COLLECTION = {"dataCollectionId": "@MX1001/running session/collection"}
_HERS = "@MX1001/running session/summed"
_MICROGRAPH = {"motionCorrectionId": _HERS}
_PICKER = {"particlePickerId": "@MX1001/running session/picker"}

_PERSON = {"familyName": "New"}

# A foreign key in a body names what its writer sees, in the same proposal; else 422 as for an
# absent id. The primary parent, when unseen, is 404.
FOREIGN_KEYS = [
    *[
        Write(
            "alice",
            "create shippings",
            {"proposalId": "@MX1001", "shippingName": "next", key: contact},
            status,
            names,
        )
        for key in ("sendingLabContactId", "returnLabContactId")
        for contact, status, names in (
            ("@MX1001/contact", 201, ()),
            ("@MX1002/contact", 422, (key,)),  # unseen
            ("@MX1003/contact", 422, (key,)),  # hers, but of another proposal
            ("@nothing", 422, (key,)),
        )
    ],
    Write("alice", "patch MX1001/shipment", {"returnLabContactId": "@MX1001/contact"}, 200),
    Write("alice", "patch MX1001/shipment", {"returnLabContactId": "@MX1003/contact"}, 422),
    Write(
        "alice",
        "patch MX1001/shipment",
        {"returnLabContactId": "@MX1002/contact", "sendingLabContactId": "@MX1003/contact"},
        422,
        ("returnLabContactId", "sendingLabContactId"),
    ),
    Write("alice", "patch MX1001/shipment", {"returnLabContactId": None}, 200),
    # a person who comes with the contact is new, and nobody's yet
    *[
        Write(
            who,
            "create labcontacts",
            {"proposalId": "@MX1001", "cardName": "card", "Person": _PERSON},
            status,
        )
        for who, status in (("alice", 201), ("coinv", 201), ("bob", 403), ("carol", 403))
    ],
    # whose address she sees already, she may name as a contact of her other proposal
    Write(
        "alice",
        "create labcontacts",
        {"proposalId": "@MX1001", "cardName": "card", "personId": "@contact person"},
        201,
    ),
    *[
        Write(
            "alice",
            "create labcontacts",
            {"proposalId": "@MX1001", "cardName": "card", "personId": person},
            status,
            names,
        )
        for person, status, names in (
            ("@investigator", 422, ("personId",)),  # a co-member's address is not hers to read
            ("@bob", 422, ("personId",)),  # a participant is nobody that she sees
            ("@stores", 422, ("personId",)),
            ("@nothing", 422, ("personId",)),
        )
    ],
    Write("bob", "patch MX1002/contact", {"personId": "@alice"}, 422, ("personId",)),
    *[
        Write(
            "alice",
            "create dewars",
            {"shippingId": "@MX1001/shipment", "code": "next", "firstExperimentId": session},
            status,
            names,
        )
        for session, status, names in (
            ("@MX1001/running session", 201, ()),
            ("@MX1003/old session", 422, ("firstExperimentId",)),
            ("@MX1002/session", 422, ("firstExperimentId",)),
            ("@nothing", 422, ("firstExperimentId",)),
        )
    ],
    *[
        Write(
            "alice",
            "create samples",
            {"crystalId": "@MX1001/LYSO-tetragonal", "containerId": container, "name": "next"},
            status,
            names,
        )
        for container, status, names in (
            ("@MX1001/puck 1", 201, ()),
            ("@MX1001/session container", 201, ()),
            ("@MX1003/puck", 422, ("containerId",)),
            ("@MX1002/puck", 422, ("containerId",)),
            ("@nothing", 422, ("containerId",)),
        )
    ],
    Write(
        "bob",
        "create samples",
        {"crystalId": "@MX1002/INS-cubic", "containerId": "@MX1001/puck 1", "name": "next"},
        422,
        ("containerId",),
    ),
    Write("alice", "create samples", {"crystalId": "@MX1002/INS-cubic", "name": "next"}, 404),
    Write("alice", "create samples", {"containerId": "@MX1002/puck", "name": "next"}, 404),
    Write("alice", "create samples", {"crystalId": "@nothing", "name": "next"}, 404),
    Write("alice", "create shippings", {"proposalId": "@nothing", "shippingName": "next"}, 404),
    Write(
        "alice",
        "create containers",
        {"dewarId": "@MX1001/dewar 1", "sessionId": "@MX1001/running session", "code": "next"},
        201,
    ),
    Write(
        "alice",
        "create containers",
        {"dewarId": "@MX1001/dewar 1", "sessionId": "@MX1003/old session", "code": "next"},
        422,
        ("sessionId",),
    ),
    Write(
        "alice",
        "create containers",
        {"dewarId": "@MX1001/dewar 1", "sessionId": "@MX1002/session", "code": "next"},
        422,
        ("sessionId",),
    ),
    Write(
        "mxcube",
        "create containers",
        {"sessionId": "@MX1001/running session", "dewarId": "@MX1001/dewar 1", "code": "next"},
        404,  # the dewar is the primary parent, and dewars are outside of its scope
    ),
]

# The second foreign key of what a microscope recorded: of the same proposal, and seen.
MICROSCOPY = [
    Write(who, f"create {noun}", {**body, key: named}, status, () if status == 201 else (key,))
    for noun, body, key, last in (
        ("movies", _COLLECTION, "foilHoleId", "hole"),
        ("motion-corrections", _COLLECTION, "movieId", "movie"),
        ("motion-corrections", _COLLECTION, "autoProcProgramId", "program"),
        ("ctfs", _MICROGRAPH, "autoProcProgramId", "program"),
        ("particle-pickers", {"firstMotionCorrectionId": _HERS}, "programId", "program"),
        ("particle-classification-groups", _PICKER, "programId", "program"),
        ("tomograms", _COLLECTION, "gridSquareId", "square"),
        ("tomograms", _COLLECTION, "autoProcProgramId", "program"),
    )
    for who, named, status in (
        ("alice", f"@MX1001/past session/{last}", 201),
        ("alice", f"@IN2001/session/{last}", 422),  # unseen
        ("coinv", f"@IN2001/session/{last}", 422),  # seen, but of another proposal
        ("alice", "@nothing", 422),
    )
]

PARTS = [
    Write(who, f"create {noun}", {**body, key: named}, status, () if status == 201 else (key,))
    for who, noun, body, key, named, status in (*KEYS_OF_PARTS, *KEYS_OF_THE_QUEUE)
]

# A laboratory that one sees; an own one is no way to see another.
LABORATORIES = [
    Write("alice", "patch alice", {"laboratoryId": "@Quayside Works"}, 200),
    Write("alice", "patch alice", {"laboratoryId": "@Hillside University"}, 422, ("laboratoryId",)),
    Write("oscar", "patch oscar", {"laboratoryId": "@The Facility"}, 422, ("laboratoryId",)),
    Write("oscar", "patch oscar", {"laboratoryId": "@nothing"}, 422, ("laboratoryId",)),
]

# A move needs the right on both ends.
MOVES = [
    Write("alice", "patch MX1001/empty shipment", {"proposalId": "@MX1003"}, 200),
    Write("alice", "patch MX1001/empty shipment", {"proposalId": "@MX1002"}, 404),
    Write("alice", "patch MX1001/empty shipment", {"proposalId": "@nothing"}, 404),
    Write("alice", "patch MX1001/empty dewar", {"shippingId": "@MX1003/unset shipment"}, 200),
    Write("alice", "patch MX1001/empty dewar", {"shippingId": "@MX1002/shipment"}, 404),
    Write("alice", "patch MX1001/empty container", {"dewarId": "@MX1001/dewar 2"}, 200),
    Write("alice", "patch MX1001/empty container", {"dewarId": "@MX1003/unset dewar"}, 200),
    Write("alice", "patch MX1001/empty container", {"dewarId": "@MX1002/dewar"}, 404),
    Write("alice", "patch MX1001/sample 20", {"containerId": "@MX1001/empty container"}, 200),
    Write("alice", "patch MX1001/sample without crystal", {"containerId": "@MX1002/puck"}, 404),
    Write("alice", "patch MX1001/loose sample", {"crystalId": "@MX1003/crystal"}, 200),
    Write("alice", "patch MX1001/loose sample", {"crystalId": "@MX1002/INS-cubic"}, 404),
    Write("alice", "patch MX1001/unused crystal", {"proteinId": "@MX1003/PROT"}, 200),
    Write("alice", "patch MX1001/unused crystal", {"proteinId": "@MX1002/INS"}, 404),
    Write("alice", "patch MX1001/UNUSED", {"proposalId": "@MX1003"}, 200),
    Write("alice", "patch MX1003/idle contact", {"proposalId": "@MX1001"}, 200),
    Write("alice", "patch MX1003/idle contact", {"proposalId": "@MX1002"}, 404),
    # bob sees MX1001 as a participant: seen, but not his to write in
    Write("bob", "patch MX1002/UNUSED", {"proposalId": "@MX1001"}, 403),
    Write("bob", "patch MX1002/unused crystal", {"proteinId": "@MX1001/LYSO"}, 403),
    # carol sees both ends as staff, dave as goods handling
    Write("carol", "patch MX1001/empty shipment", {"proposalId": "@MX1004"}, 403),
    Write("dave", "patch MX1001/empty dewar", {"shippingId": "@MX1002/shipment"}, 403),
    # a session stays in its proposal, whoever asks, but for administrators
    Write("alice", "patch MX1001/running session", {"proposalId": "@MX1003"}, 403),
    Write("carol", "patch MX1001/running session", {"proposalId": "@MX1004"}, 403),
]

# No write may make a broken chain, also not one further down.
CHAINS = [
    Write(
        "alice", "patch MX1001/sample 20", {"containerId": "@MX1003/puck"}, 422, ("containerId",)
    ),
    Write("alice", "patch MX1001/sample 20", {"crystalId": "@MX1003/crystal"}, 422, ("crystalId",)),
    Write(
        "alice",
        "patch MX1001/sample 20",
        {"crystalId": "@MX1003/crystal", "containerId": "@MX1003/puck"},
        200,
    ),
    Write(
        "alice", "patch MX1001/puck 1", {"sessionId": "@MX1003/old session"}, 422, ("sessionId",)
    ),
    Write("alice", "patch MX1001/puck 1", {"dewarId": "@MX1003/unset dewar"}, 422),
    Write("alice", "patch MX1001/dewar 1", {"shippingId": "@MX1003/unset shipment"}, 422),
    Write("alice", "patch MX1001/shipment", {"proposalId": "@MX1003"}, 422),
    Write("alice", "patch MX1001/LYSO-tetragonal", {"proteinId": "@MX1003/PROT"}, 422),
    Write("alice", "patch MX1001/LYSO", {"proposalId": "@MX1003"}, 422),
    Write("erin", "patch MX1001/LYSO", {"proposalId": "@MX1003"}, 422),
    Write("erin", "patch MX1001/sample 20", {"containerId": "@MX1002/puck"}, 422, ("containerId",)),
    # nor one that leads nowhere
    Write("alice", "create samples", {"name": "next"}, 422),
    Write("alice", "create containers", {"code": "next"}, 422),
    Write("alice", "patch MX1001/sample without crystal", {"containerId": None}, 403),
    Write("alice", "patch MX1001/session container", {"sessionId": None}, 403),
]

# A column that others may write is 403 and named; one that nobody may write, or unknown, is 422.
COLUMNS = [
    Write("alice", "patch MX1001", {"title": "x", "proposalCode": "AA"}, 403, ("proposalCode",)),
    Write(
        "alice",
        "patch MX1001/running session",
        {"comments": "x", "beamLineName": "BL2"},
        403,
        ("beamLineName",),
    ),
    Write("dave", "patch MX1001/dewar 1", {"dewarStatus": "x", "code": "x"}, 403, ("code",)),
    Write("dave", "patch IN2001/dewar", {"dewarStatus": "at facility"}, 200),
    Write("alice", "patch alice", {"phoneNumber": "1", "login": "erin"}, 403, ("login",)),
    Write("alice", "patch MX1001/shipment", {"shippingId": 1}, 422, ("shippingId",)),
    Write("alice", "patch MX1001/shipment", {"nonsense": 1}, 422, ("nonsense",)),
    Write("alice", "patch alice", {"recordTimeStamp": "2030-01-01T00:00:00"}, 422),
    Write("erin", "patch MX1001", {"bltimeStamp": "2030-01-01T00:00:00"}, 422, ("bltimeStamp",)),
    Write("erin", "patch alice", {"personId": 1}, 422, ("personId",)),
    Write(
        "alice",
        "create shippings",
        {"proposalId": "@MX1001", "shippingName": "next", "shippingId": 9, "nonsense": 1},
        422,
        ("shippingId", "nonsense"),
    ),
    # unseen comes first: a faulty body tells nothing of a row that is not theirs
    Write("bob", "patch MX1001/shipment", {"nonsense": 1}, 404),
    Write("alice", "patch MX1002/session", {"beamLineName": "BL1"}, 404),
    # an administrator's row and nobody else's
    Write("alice", "patch broken container", {"comments": "x"}, 404),
    Write("bob", "patch broken sample", {"comments": "x"}, 404),
    # a new beamline must be the writer's too; the old one as well
    Write("carol", "patch MX1001/running session", {"beamLineName": "BL1"}, 200),
    Write("watch", "patch MX1001/past session", {"comments": "x"}, 403),
    Write("enarrow", "patch MX1001", {"title": "x"}, 403),
    Write(
        "carol", "create sessions", {"proposalId": "@MX1001", "beamLineName": "BL10", **_TIMES}, 403
    ),
    Write(
        "carol", "create sessions", {"proposalId": "@nothing", "beamLineName": "BL1", **_TIMES}, 404
    ),
]

# Not offered for anybody.
NOT_OFFERED = [
    Write(who, f"delete {row}", {}, 405)
    for who in ("alice", "erin")
    for row in ("alice", "MX1001", "MX1001/running session")
]

WRITES = [
    *FOREIGN_KEYS,
    *MICROSCOPY,
    *PARTS,
    *LABORATORIES,
    *MOVES,
    *CHAINS,
    *COLUMNS,
    *NOT_OFFERED,
]
