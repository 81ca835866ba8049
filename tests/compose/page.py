"""The commands of docs/deploy.md, so that the drill runs what the page says."""

import re
from pathlib import Path

PAGE = Path(__file__).parents[2] / "docs" / "deploy.md"
BLOCK = re.compile(r"^```bash (?P<name>[a-z-]+)\n(?P<commands>.*?)^```$", re.DOTALL | re.MULTILINE)


def commands() -> dict[str, str]:
    """Every named block of the page."""
    found = [match.groups() for match in BLOCK.finditer(PAGE.read_text(encoding="utf-8"))]
    assert len(dict(found)) == len(found), "a name twice"
    return dict(found)
