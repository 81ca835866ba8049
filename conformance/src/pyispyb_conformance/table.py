"""The findings as a table for people and as JSON for scripts."""

import json
from collections import Counter
from collections.abc import Sequence

from pyispyb_conformance.clauses import Finding, Level, Outcome

SHOWN = {Outcome.HOLDS: "holds", Outcome.BROKEN: "BROKEN", Outcome.NOT_TRIED: "-"}
WIDEST = 90


def as_table(findings: Sequence[Finding]) -> str:
    """One line a clause; the sentence of the contract below each that is broken."""
    names = max(len(finding.clause.name) for finding in findings)
    lines = [f"{'':7} {'clause':6} {'level':11}  {'what':{names}}  seen"]
    for finding in findings:
        one = finding.clause
        seen = _short(finding.seen)
        start = f"{_word(finding):7} {one.number:6} {one.level:11}  {one.name:{names}}"
        lines.append(f"{start}  {seen}")
        if finding.outcome is Outcome.BROKEN:
            lines.append(f"{'':28}{one.sentence}")
    return "\n".join([*lines, "", summary(findings), ""])


def as_json(findings: Sequence[Finding]) -> str:
    """The same, whole."""
    rows = [
        {
            "clause": one.clause.number,
            "level": one.clause.level,
            "name": one.clause.name,
            "sentence": one.clause.sentence,
            "outcome": one.outcome.lower(),
            "seen": one.seen,
        }
        for one in findings
    ]
    return json.dumps({"conforms": conforms(findings), "clauses": rows}, indent=2) + "\n"


def conforms(findings: Sequence[Finding]) -> bool:
    """Does every required clause hold that could be tried."""
    broken = (one for one in findings if one.outcome is Outcome.BROKEN)
    return not any(one.clause.level is Level.REQUIRED for one in broken)


def summary(findings: Sequence[Finding]) -> str:
    """The last line."""
    tally = Counter((one.clause.level, one.outcome) for one in findings)

    def of(level: Level) -> str:
        holds = tally[level, Outcome.HOLDS]
        return f"{level}: {holds} hold, {tally[level, Outcome.BROKEN]} broken"

    untried = sum(tally[level, Outcome.NOT_TRIED] for level in Level)
    parts = [of(Level.REQUIRED), of(Level.RECOMMENDED), f"not tried: {untried}"]
    verdict = "It conforms" if conforms(findings) else "It does not conform"
    return f"{verdict}. {'; '.join(parts)}. The contract: docs/plug-in-authentication.md"


def _word(finding: Finding) -> str:
    if finding.clause.level is Level.INFORMATION and finding.outcome is Outcome.HOLDS:
        return "seen"
    return SHOWN[finding.outcome]


def _short(text: str) -> str:
    line = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    return line if len(line) <= WIDEST else line[: WIDEST - 1] + "…"
