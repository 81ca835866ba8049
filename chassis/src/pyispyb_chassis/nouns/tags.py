"""Entity tags: which version of a row somebody read, and whether it is still that one."""

import hashlib
import re
from base64 import urlsafe_b64encode
from dataclasses import dataclass
from typing import Any

import orjson

from pyispyb_chassis.errors import BadRequest, Stale
from pyispyb_chassis.nouns.catalogue import Bound

HASH_BYTES = 18
_TAG = re.compile(r'(?:W/)?"[\x21\x23-\x7e\x80-\xff]*"')
_TAGS = re.compile(rf"{_TAG.pattern}(?:\s*,\s*{_TAG.pattern})*")


def tag_of(noun: Bound, row: dict[str, Any]) -> str:
    """The strong tag of a row: a hash of its own columns as the reader sees them.

    Columns that a rule hides count as null: a tag tells nothing of what its reader may not see.
    """
    columns = orjson.dumps([row[name] for name in noun.fields])
    digest = hashlib.sha256(columns).digest()[:HASH_BYTES]
    return f'"{urlsafe_b64encode(digest).decode()}"'


@dataclass(frozen=True, slots=True)
class Versions:
    """The tags of an If-Match or If-None-Match header; no tags stand for `*`, any version."""

    tags: frozenset[str] | None

    def need(self, tag: str) -> None:
        """Raise Stale unless this version is meant."""
        if not self.holds(tag):
            raise Stale("it has changed since you read it: read it again, then decide")

    def holds(self, tag: str) -> bool:
        """Whether this version is among them; a gateway that compresses has made its tag weak."""
        return self.tags is None or tag in self.tags or f"W/{tag}" in self.tags


def read_versions(header: str, text: str | None) -> Versions | None:
    """The versions that a header names, None without it. Raises BadRequest for a malformed one."""
    if text is None:
        return None
    if text.strip() == "*":
        return Versions(None)
    if not _TAGS.fullmatch(text.strip()):
        raise BadRequest(f'{header} takes * or tags in double quotes, as "abc", "def"')
    return Versions(frozenset(_TAG.findall(text)))
