"""Makes of who_sees_what the reads of each person: list, item, filter, search, include."""

import re
from collections.abc import Iterator
from functools import partial
from typing import Any
from urllib.parse import quote

from tests.core.matrix.cases import Case
from tests.core.matrix.stage import Stage
from tests.core.matrix.tables_of_text import who_sees_what
from tests.core.matrix.who_they_are import NOBODY, PEOPLE
from tests.core.matrix.world import KINDS

SEEN = who_sees_what()
ALL = "limit=1000"

# Each include as the foreign keys that it follows, one hop after the other.
INCLUDES = {
    "persons": {"Laboratory": [("laboratoryId", "laboratories")]},
    "laboratories": {},
    "labcontacts": {
        "Person": [("personId", "persons")],
        "Person.Laboratory": [("personId", "persons"), ("laboratoryId", "laboratories")],
        "Proposal": [("proposalId", "proposals")],
    },
    "proposals": {"Person": [("personId", "persons")]},
    "sessions": {"Proposal": [("proposalId", "proposals")]},
    "shippings": {
        "Proposal": [("proposalId", "proposals")],
        "sendingLabContact": [("sendingLabContactId", "labcontacts")],
        "returnLabContact": [("returnLabContactId", "labcontacts")],
        "sendingLabContact.Person": [
            ("sendingLabContactId", "labcontacts"),
            ("personId", "persons"),
        ],
    },
    "dewars": {
        "Shipping": [("shippingId", "shippings")],
        "Shipping.Proposal": [("shippingId", "shippings"), ("proposalId", "proposals")],
    },
    "containers": {
        "dewar": [("dewarId", "dewars")],
        "dewar.Shipping": [("dewarId", "dewars"), ("shippingId", "shippings")],
        "BLSession": [("sessionId", "sessions")],
    },
    "samples": {
        "Crystal": [("crystalId", "crystals")],
        "DiffractionPlan": [("diffractionPlanId", "diffraction-plans")],
        "Crystal.Protein": [("crystalId", "crystals"), ("proteinId", "proteins")],
        "Container": [("containerId", "containers")],
        "Container.BLSession": [("containerId", "containers"), ("sessionId", "sessions")],
    },
    "crystals": {"Protein": [("proteinId", "proteins")]},
    "proteins": {"Proposal": [("proposalId", "proposals")]},
    "dewar-transport-history": {"Dewar": [("dewarId", "dewars")]},
    "container-history": {"Container": [("containerId", "containers")]},
    "container-queue": {"Container": [("containerId", "containers")]},
    "container-queue-samples": {
        "ContainerQueue": [("containerQueueId", "container-queue")],
        "BLSample": [("blSampleId", "samples")],
    },
    "sub-samples": {"BLSample": [("blSampleId", "samples")]},
    "sample-images": {
        "BLSample": [("blSampleId", "samples")],
        "BLSample.DiffractionPlan": [
            ("blSampleId", "samples"),
            ("diffractionPlanId", "diffraction-plans"),
        ],
    },
    "sample-groups": {"Proposal": [("proposalId", "proposals")]},
    "ligands": {"Proposal": [("proposalId", "proposals")]},
    "diffraction-plans": {"Proposal": [("presetForProposalId", "proposals")]},
    "datacollection-groups": {
        "BLSession": [("sessionId", "sessions")],
        "BLSession.Proposal": [("sessionId", "sessions"), ("proposalId", "proposals")],
        "BLSample": [("blSampleId", "samples")],
    },
    "datacollections": {
        "DataCollectionGroup.BLSample": [
            ("dataCollectionGroupId", "datacollection-groups"),
            ("blSampleId", "samples"),
        ],
    },
    "robot-actions": {"BLSample": [("blsampleId", "samples")]},
    "autoproc-integrations": {
        "AutoProcProgram": [("autoProcProgramId", "autoproc-programs")],
        "AutoProcProgram.ProcessingJob": [
            ("autoProcProgramId", "autoproc-programs"),
            ("processingJobId", "processing-jobs"),
        ],
    },
}

# Which columns of a Person a mark shows; what is not shown reads, filters, sorts as null.
NAMES = ("personId", "givenName", "familyName", "title")
CONTACT = (*NAMES, "emailAddress", "phoneNumber", "faxNumber", "laboratoryId")
WHOLE = (*CONTACT, "login", "siteId", "personUUID")
SHOWN = {"n": NAMES, "c": CONTACT, "y": WHOLE, "a": WHOLE}


def reads() -> Iterator[Case]:
    """Every read of the matrix; the lists of all nouns first."""
    for make in (_lists, _items, _filters, _searches, _includes, _columns_of_persons):
        for noun in KINDS:
            yield from make(noun)
    for who in PEOPLE:
        if not _refused("sessions", who):
            yield Case(f"{who} sessions", "access", partial(_wrong_access, who=who))


def _marks(noun: str, column: str) -> dict[str, str]:
    return {row: cells[column] for row, cells in SEEN[noun].items()}


def _refused(noun: str, column: str) -> bool:
    return "-" in _marks(noun, column).values()


def _readers(noun: str) -> Iterator[str]:
    return (who for who in PEOPLE if not _refused(noun, who))


def _mark(stage: Stage, noun: str, column: str, key: int) -> str:
    """How this person sees the row with this key."""
    return _marks(noun, column)[stage.world.name_of(noun, key)]


def _sees(mark: str) -> bool:
    return mark not in ".-"


def _results(stage: Stage, who: str, path: str) -> dict[str, Any] | str:
    """A list's body, or the fault."""
    answer = stage.call(who, "GET", path)
    if answer.status_code != 200:
        return f"{answer.status_code} instead of 200: {answer.get_data(as_text=True)[:300]}"
    body: dict[str, Any] = answer.get_json()
    return body


def _differ(stage: Stage, noun: str, body: dict[str, Any] | str, expected: set[int]) -> str | None:
    """How a list's rows and total differ from the rows with these keys."""
    if isinstance(body, str):
        return body
    found = {row[KINDS[noun].key] for row in body["results"]}
    wrong = [f"shows {stage.world.name_of(noun, key)}" for key in found - expected]
    wrong += [f"lacks {stage.world.name_of(noun, key)}" for key in expected - found]
    if body["total"] != len(expected):
        wrong.append(f"total {body['total']} instead of {len(expected)}")
    return ", ".join(sorted(wrong)) or None


def _expected(stage: Stage, noun: str, column: str) -> set[int]:
    rows = [row for row, mark in _marks(noun, column).items() if _sees(mark)]
    return {stage.world[row] for row in rows}


def _status(stage: Stage, who: str, path: str, status: int) -> str | None:
    answer = stage.call(who, "GET", path)
    return None if answer.status_code == status else f"{answer.status_code} instead of {status}"


def _lists(noun: str) -> Iterator[Case]:
    yield Case(f"{NOBODY} {noun}", "list", partial(_status, who=NOBODY, path=noun, status=401))
    for who in PEOPLE:
        group = f"{who} {noun}"
        if _refused(noun, who):
            yield Case(group, "list", partial(_status, who=who, path=noun, status=403))
            continue

        def listed(stage: Stage, who: str = who) -> str | None:
            body = _results(stage, who, f"{noun}?{ALL}")
            return _differ(stage, noun, body, _expected(stage, noun, who))

        yield Case(group, "list", listed)

        def counted(stage: Stage, who: str = who) -> str | None:
            body, total = _results(stage, who, f"{noun}?limit=1"), len(_expected(stage, noun, who))
            if isinstance(body, str):
                return body
            return None if body["total"] == total else f"{body['total']} instead of {total}"

        yield Case(group, "total", counted)


def _one_by_one(noun: str) -> list[str]:
    """The rows of a noun; of those that differ by nothing but a number, the first."""
    alike = {
        (re.sub(r" \d+$", "", row), *SEEN[noun][row].values()): row for row in [*SEEN[noun]][::-1]
    }
    return [*alike.values()][::-1]


def _items(noun: str) -> Iterator[Case]:
    for row in _one_by_one(noun):

        def hidden(stage: Stage, row: str = row) -> str | None:
            return _status(stage, NOBODY, f"{noun}/{stage.world[row]}", 401)

        yield Case(f"{NOBODY} {noun}", f"item {row}", hidden)
        for who, mark in SEEN[noun][row].items():

            def shown(stage: Stage, who: str = who, row: str = row, mark: str = mark) -> str | None:
                status = {".": 404, "-": 403}.get(mark, 200)
                fault = _status(stage, who, f"{noun}/{stage.world[row]}", status)
                if noun == "proposals" and not fault:
                    fault = _status(stage, who, f"{noun}/{row}", status)
                return fault

            yield Case(f"{who} {noun}", f"item {row}", shown)


def _filters(noun: str) -> Iterator[Case]:
    for who in _readers(noun):
        for row in _one_by_one(noun):
            mark = SEEN[noun][row][who]

            def filtered(
                stage: Stage, who: str = who, row: str = row, mark: str = mark
            ) -> str | None:
                key = stage.world[row]
                body = _results(stage, who, f"{noun}?{KINDS[noun].key}={key}")
                return _differ(stage, noun, body, {key} if _sees(mark) else set())

            yield Case(f"{who} {noun}", f"filter {row}", filtered)


def _searches(noun: str) -> Iterator[Case]:
    if KINDS[noun].word is None:
        return
    for who in _readers(noun):

        def searched(stage: Stage, who: str = who) -> str | None:
            column, stored = KINDS[noun].word, stage.values(noun)
            for key in map(stage.world.__getitem__, _one_by_one(noun)):
                word = stored[key][column]
                if word is None:
                    continue
                like = {k for k, v in stored.items() if word.lower() in str(v[column]).lower()}
                body = _results(stage, who, f"{noun}?search={quote(word)}&{ALL}")
                if isinstance(body, str):
                    return body
                found = {one[KINDS[noun].key] for one in body["results"]}
                seen = {k for k in like if _sees(_mark(stage, noun, who, k))}
                if found & like != seen or (found - like) - _expected(stage, noun, who):
                    return f"{word!r} (row {key}) finds {sorted(found)} instead of {sorted(seen)}"
            return None

        yield Case(f"{who} {noun}", "search", searched)


def _includes(noun: str) -> Iterator[Case]:
    for who in _readers(noun):
        for include, hops in INCLUDES.get(noun, {}).items():

            def included(
                stage: Stage,
                who: str = who,
                include: str = include,
                hops: list[tuple[str, str]] = hops,
            ) -> str | None:
                body = _results(stage, who, f"{noun}?include={include}&{ALL}")
                fault = _differ(stage, noun, body, _expected(stage, noun, who))
                if fault or isinstance(body, str):
                    return fault
                stored = {kind: stage.values(kind) for kind in {noun, *(h[1] for h in hops)}}
                faults = (
                    _wrong_include(stage, who, noun, row, include.split("."), hops, stored)
                    for row in body["results"]
                )
                return next((fault for fault in faults if fault), None)

            yield Case(f"{who} {noun}", f"include {include}", included)


def _wrong_include(
    stage: Stage,
    who: str,
    noun: str,
    row: dict[str, Any],
    path: list[str],
    hops: list[tuple[str, str]],
    stored: dict[str, dict[int, dict[str, Any]]],
) -> str | None:
    """Follow an include hop by hop: the row that is seen, else null."""
    shown: Any = row
    key: int = row[KINDS[noun].key]
    start = stage.world.name_of(noun, key)
    for name, (column, target) in zip(path, hops, strict=True):
        if name not in shown:
            return f"{start}: no {name}"
        leads_to = stored[noun][key][column]
        if noun == "persons" and column not in SHOWN[_mark(stage, noun, who, key)]:
            leads_to = None
        mark = _mark(stage, target, who, leads_to) if leads_to is not None else "."
        if not _sees(mark):
            return None if shown[name] is None else f"{start}: {name} is not null"
        if shown[name] is None:
            return f"{start}: {name} is null"
        shown, noun, key = shown[name], target, leads_to
        if shown[KINDS[noun].key] != key:
            return f"{start}: {name} is another row"
        if noun == "persons" and (fault := _wrong_person(shown, stored[noun][key], mark)):
            return f"{start}: {name}: {fault}"
    return None


def _wrong_person(shown: dict[str, Any], stored: dict[str, Any], mark: str) -> str | None:
    for column in WHOLE:
        expected = stored[column] if column in SHOWN[mark] else None
        if shown[column] != expected:
            return f"{column} is {shown[column]!r} instead of {expected!r}"
    return None


def _wrong_access(stage: Stage, who: str) -> str | None:
    """What sibling services are told must come to the same sessions and proposals."""
    access = stage.call(who, "GET", "user/access").get_json()
    told = {
        key
        for key, session in stage.values("sessions").items()
        if access["all"]
        or session["proposalId"] in access["proposals"]
        or key in access["sessions"]
        or (
            session["beamLineName"] in access["beamLines"]
            and session["proposalId"] not in access["exceptProposals"]
        )
    }
    if told != (seen := _expected(stage, "sessions", who)):
        names = sorted(stage.world.name_of("sessions", key) for key in told ^ seen)
        return f"differs in {', '.join(names)}"
    for told_as, marks in (("proposals", "m"), ("staffProposals", "sl")):
        if not _refused("proposals", who):
            rows = [row for row, mark in _marks("proposals", who).items() if mark in marks]
            if set(access[told_as]) != {stage.world[row] for row in rows}:
                return f"{told_as} are {access[told_as]} instead of {', '.join(rows)}"
    return None


def _columns_of_persons(noun: str) -> Iterator[Case]:
    """A hidden column is null in an answer, to a filter, a search and a sort."""
    if noun != "persons":
        return
    for who in _readers(noun):
        for check in (_shows_columns, _filters_columns, _searches_columns, _sorts_columns):

            def checked(stage: Stage, who: str = who, check: Any = check) -> str | None:
                fault: str | None = check(stage, who, stage.values("persons"))
                return fault

            yield Case(f"{who} persons", check.__name__.strip("_").replace("_", " "), checked)


def _shows_columns(stage: Stage, who: str, stored: dict[int, dict[str, Any]]) -> str | None:
    for key in _expected(stage, "persons", who):
        mark = _mark(stage, "persons", who, key)
        item = stage.call(who, "GET", f"persons/{key}").get_json()
        listed = _results(stage, who, f"persons?personId={key}&fields={','.join(WHOLE)}")
        if isinstance(listed, str):
            return listed
        for shown in (item, *listed["results"]):
            if fault := _wrong_person(shown, stored[key], mark):
                return f"{stored[key]['familyName']}: {fault}"
    return None


def _filters_columns(stage: Stage, who: str, stored: dict[int, dict[str, Any]]) -> str | None:
    seen = {k: _mark(stage, "persons", who, k) for k in _expected(stage, "persons", who)}
    for column in ("login", "emailAddress", "laboratoryId"):
        read = {k: stored[k][column] if column in SHOWN[m] else None for k, m in seen.items()}
        # Of those shown one is enough; each hidden one is asked for.
        shown, hidden = (
            {v for v in read.values() if v is not None},
            {k for k in read if read[k] is None},
        )
        values = {*sorted(shown, key=str)[:1], *(stored[k][column] for k in hidden)} - {None}
        questions = {
            f"{column}={quote(str(value))}": {k for k, v in read.items() if v == value}
            for value in values
        }
        questions[f"{column}[null]=true"] = {k for k, v in read.items() if v is None}
        for question, expected in questions.items():
            body = _results(stage, who, f"persons?{question}&{ALL}")
            if fault := _differ(stage, "persons", body, expected):
                return f"{question}: {fault}"
    return None


def _searches_columns(stage: Stage, who: str, stored: dict[int, dict[str, Any]]) -> str | None:
    for key, row in stored.items():
        for column in ("login", "emailAddress"):
            word = row[column]
            if word is None or word.lower() in f"{row['givenName']} {row['familyName']}".lower():
                continue
            body = _results(stage, who, f"persons?search={quote(word)}&{ALL}")
            if isinstance(body, str):
                return body
            found = key in {one["personId"] for one in body["results"]}
            mark = _mark(stage, "persons", who, key)
            if found and column not in SHOWN.get(mark, ()):
                return f"{word!r} finds a row by its hidden {column}"
    return None


def _sorts_columns(stage: Stage, who: str, stored: dict[int, dict[str, Any]]) -> str | None:
    del stored
    for order, column in (("-", "emailAddress"), ("", "login")):
        body = _results(stage, who, f"persons?sort={order}{column}&{ALL}")
        if isinstance(body, str):
            return body
        values = [row[column] for row in body["results"]]
        given = [value for value in values if value is not None]
        nulls = [None] * (len(values) - len(given))
        keys = [row["personId"] for row in body["results"] if row[column] is None]
        if values != sorted(given, reverse=bool(order)) + nulls or keys != sorted(keys):
            return f"sort={order}{column} gives {values} {keys}"
    return None
