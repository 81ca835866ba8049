"""docs/permissions.md lists the permissions that there are, with their meanings."""

import re
from pathlib import Path

from pyispyb_chassis.permissions import Permission

PAGE = Path(__file__).parents[2] / "docs" / "permissions.md"


def test_the_page_lists_every_permission_in_order() -> None:
    lines = re.findall(r"^\| `([a-z-]+:[a-z-]+)` \| (.+) \|$", PAGE.read_text("utf-8"), re.M)
    assert lines == [(str(one), one.meaning) for one in sorted(Permission)]


def test_what_the_page_points_to_is_there() -> None:
    links = re.findall(r"\]\(([^)#]+)\)", PAGE.read_text("utf-8"))
    assert links
    assert [link for link in links if not (PAGE.parent / link).exists()] == []
