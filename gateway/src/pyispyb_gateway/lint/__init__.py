"""Names each unsafe default and each unknown field of a kong.yml: line, what, cure."""

from pyispyb_gateway.document import Document, leaves
from pyispyb_gateway.fill import ANYWHERE
from pyispyb_gateway.lint import file, limits, paths, replicas, requests, tokens
from pyispyb_gateway.lint.rules import RULES, Finding

# Each puts its rules on the list when it is imported.
SUBJECTS = (file, tokens, limits, replicas, paths, requests)


def lint(document: Document) -> list[Finding]:
    """Every finding, by line. Known placeholders count as filled."""
    faults = [
        Finding(line, rule.name, what, rule.cure)
        for rule in RULES
        for line, what in rule.faults(document)
    ]
    return sorted(set(faults))


def left_over(document: Document) -> list[Finding]:
    """Placeholders in a document that should have none left."""
    return [
        Finding(line, "placeholder", f"{value} is not filled", "give it a value, or take it out")
        for value, line in leaves(document.tree)
        if isinstance(value, str) and ANYWHERE.search(value)
    ]
