"""Rows of a facility in ISPyB's tables, as many as asked for, so that core is measured on them.

Every proposal has ten sessions on two of ten beamlines, which have two a day, so that a larger
facility is an older one; a shipment with ten pucks of ten samples, five proteins of two
crystal forms each, and two and a half collections a sample.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import islice
from typing import Any

import sqlalchemy as sa

BEAMLINES = tuple(f"BL{number}" for number in range(1, 11))
SESSIONS, PUCKS, PLACES, PROTEINS, FORMS, COLLECTIONS = 10, 10, 10, 5, 2, 250
SAMPLES = PUCKS * PLACES
CHUNK = 5_000
SOONEST = 50  # days from now to the last sessions that are planned
FIRST_NUMBER = 30_000  # of the proposals; the demo's are below
Row = dict[str, Any]


def add_facility(
    connection: sa.Connection, metadata: sa.MetaData, proposals: range, now: datetime
) -> None:
    """Insert these proposals with all that hangs on them; each has keys of its own by its number.

    `now` is the database's own time; sessions of a day each end some weeks after it.
    """
    for table, rows in _tables(proposals, now).items():
        for chunk in iter(lambda rows=rows: list(islice(rows, CHUNK)), []):  # type: ignore[misc]
            connection.execute(sa.insert(metadata.tables[table]), chunk)


def add_member(
    connection: sa.Connection, metadata: sa.MetaData, login: str, proposals: range
) -> None:
    """Make somebody who is there a co-investigator of these proposals."""
    person = metadata.tables["Person"]
    key = connection.scalar(sa.select(person.c.personId).where(person.c.login == login))
    rows = [
        {"proposalId": _key(number), "personId": key, "role": "Co-Investigator"}
        for number in proposals
    ]
    connection.execute(sa.insert(metadata.tables["ProposalHasPerson"]), rows)


def _key(number: int, of: int = 1, place: int = 0) -> int:
    """The key of a row of a proposal that has `of` rows of its kind."""
    return 1_000 + number * of + place


def _day(today: datetime, number: int, visit: int) -> datetime:
    """The morning of a session: the first proposals are yet to come, the others lie behind."""
    return today + timedelta(days=SOONEST - (number * SESSIONS + visit) // (2 * len(BEAMLINES)))


def _tables(proposals: range, now: datetime) -> dict[str, Iterator[Row]]:
    """The rows by table, in an order that foreign keys allow."""
    today = now.replace(hour=8, minute=0, second=0, microsecond=0)
    return {
        "Person": (
            {"personId": _key(n), "login": f"user{n}", "givenName": "User", "familyName": f"No {n}"}
            for n in proposals
        ),
        "Proposal": (
            {
                "proposalId": _key(n),
                "personId": _key(n),
                "proposalCode": "MX",
                "proposalNumber": str(FIRST_NUMBER + n),
                "title": f"Crystal forms of project {n}",
                "state": "Open",
            }
            for n in proposals
        ),
        "ProposalHasPerson": (
            {"proposalId": _key(n), "personId": _key(n), "role": "Principal Investigator"}
            for n in proposals
        ),
        "BLSession": (
            {
                "sessionId": _key(n, SESSIONS, visit),
                "proposalId": _key(n),
                "visit_number": visit + 1,
                "beamLineName": BEAMLINES[(n + visit % 2) % len(BEAMLINES)],
                "startDate": _day(today, n, visit),
                "endDate": _day(today, n, visit) + timedelta(days=1),
                "scheduled": 1,
                "nbShifts": 3,
            }
            for n in proposals
            for visit in range(SESSIONS)
        ),
        "Shipping": (
            {
                "shippingId": _key(n),
                "proposalId": _key(n),
                "shippingName": f"shipment {n}",
                "shippingStatus": "at facility",
                "creationDate": today - timedelta(days=n % 600),
            }
            for n in proposals
        ),
        "Dewar": (
            {"dewarId": _key(n), "shippingId": _key(n), "code": f"dewar {n}", "type": "Dewar"}
            for n in proposals
        ),
        "Container": (
            {
                "containerId": _key(n, PUCKS, puck),
                "dewarId": _key(n),
                "code": f"PUCK-{n}-{puck}",
                "containerType": "Unipuck",
                "capacity": PLACES,
                "sampleChangerLocation": str(puck + 1),
                "beamlineLocation": BEAMLINES[n % len(BEAMLINES)],
                "priorityPipelineId": None,
            }
            for n in proposals
            for puck in range(PUCKS)
        ),
        "Protein": (
            {
                "proteinId": _key(n, PROTEINS, protein),
                "proposalId": _key(n),
                "acronym": f"PR{protein}",
                "name": f"Protein {protein} of {n}",
                "molecularMass": 14_313.0 + protein,
                "safetyLevel": "GREEN",
            }
            for n in proposals
            for protein in range(PROTEINS)
        ),
        "Crystal": (
            {
                "crystalId": _key(n, PROTEINS * FORMS, form),
                "proteinId": _key(n, PROTEINS, form // FORMS),
                "name": f"form {form}",
                "spaceGroup": "P43212",
                "cell_a": 78.5,
                "cell_b": 78.5,
                "cell_c": 37.9,
                "cell_alpha": 90.0,
                "cell_beta": 90.0,
                "cell_gamma": 90.0,
            }
            for n in proposals
            for form in range(PROTEINS * FORMS)
        ),
        "DiffractionPlan": (
            {
                "diffractionPlanId": _key(n, SAMPLES, place),
                "experimentKind": "OSC",
                "requiredResolution": 1.5,
            }
            for n in proposals
            for place in range(SAMPLES)
        ),
        "BLSample": (
            {
                "blSampleId": _key(n, SAMPLES, place),
                "containerId": _key(n, PUCKS, place // PLACES),
                "crystalId": _key(n, PROTEINS * FORMS, place % (PROTEINS * FORMS)),
                "diffractionPlanId": _key(n, SAMPLES, place),
                "name": f"s{n}-{place:03}",
                "code": f"PIN-{n}-{place:03}",
                "location": str(place % PLACES + 1),
                "holderLength": 22.0,
                "loopType": "Nylon",
                "blSampleStatus": "CREATED",
            }
            for n in proposals
            for place in range(SAMPLES)
        ),
        "DataCollectionGroup": (
            {
                "dataCollectionGroupId": _key(n, COLLECTIONS, one),
                "sessionId": _key(n, SESSIONS, one % SESSIONS),
                "blSampleId": _key(n, SAMPLES, one % SAMPLES),
                "experimentType": "OSC",
            }
            for n in proposals
            for one in range(COLLECTIONS)
        ),
        "DataCollection": (
            {
                "dataCollectionId": _key(n, COLLECTIONS, one),
                "dataCollectionGroupId": _key(n, COLLECTIONS, one),
                "SESSIONID": _key(n, SESSIONS, one % SESSIONS),
                "BLSAMPLEID": _key(n, SAMPLES, one % SAMPLES),
                "dataCollectionNumber": one + 1,
                "numberOfImages": 3600,
                "exposureTime": 0.01,
                "wavelength": 0.9763,
                "imagePrefix": f"s{n}-{one % SAMPLES:03}",
                "startTime": today - timedelta(minutes=one),
            }
            for n in proposals
            for one in range(COLLECTIONS)
        ),
    }
