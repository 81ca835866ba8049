"""An issuer's block of ispyb.toml, as far as a token can be held against it."""

import re
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pyispyb_conformance.clauses import CannotRun


@dataclass(frozen=True, slots=True)
class Block:
    """One `[issuers.<name>]`, and how many there are in the file."""

    name: str
    fields: dict[str, Any]
    of: int

    @property
    def issuer(self) -> str:
        """The `iss` that it trusts."""
        return str(self.fields.get("issuer"))

    @property
    def algorithms(self) -> list[str]:
        """The algorithms that it allows."""
        return list(self.fields.get("algorithms", ["ES256"]))

    @property
    def login_claim(self) -> str:
        """The claim that holds the ISPyB login."""
        return str(self.fields.get("login_claim", "sub"))

    @property
    def login_pattern(self) -> str:
        """What a login looks like."""
        return str(self.fields.get("login_pattern", r"[A-Za-z0-9._@-]{1,45}"))

    @property
    def pem(self) -> Path | None:
        """The file of its public key, where it names no URL."""
        return Path(self.fields["pem_file"]) if "pem_file" in self.fields else None


def read_block(file: Path, name: str | None, said: object) -> Block:
    """The block of this name, else the one whose issuer is the token's, else the only one.

    Raises CannotRun.
    """
    try:
        tree = tomllib.loads(file.read_text(encoding="utf-8"))
        blocks = {key: _filled(fields, tree) for key, fields in tree["issuers"].items()}
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise CannotRun(f"{file}: cannot be read: {error}") from error
    except (KeyError, AttributeError) as error:
        raise CannotRun(f"{file}: no [issuers.<name>] in it") from error
    fitting = [key for key, fields in blocks.items() if fields.get("issuer") == said]
    chosen = name or next(iter(fitting or (blocks if len(blocks) == 1 else [])), None)
    if chosen is None or chosen not in blocks:
        known = ", ".join(blocks)
        raise CannotRun(f"{file}: which block? --issuer one of: {known} (token: {said!r})")
    try:
        re.compile(blocks[chosen].get("login_pattern", ""))
    except re.error as error:
        raise CannotRun(f"{file}: {chosen}: login_pattern: {error}") from error
    return Block(chosen, blocks[chosen], len(blocks))


def _filled(fields: dict[str, Any], tree: dict[str, Any]) -> dict[str, Any]:
    """The block with the two words that ispyb.toml knows put in."""
    words = {
        "{url}": tree.get("url", "http://127.0.0.1:8000"),
        "{state}": tree.get("state", "var"),
    }
    done: dict[str, Any] = {}
    for key, value in fields.items():
        text = value
        if isinstance(text, str):
            for word, meaning in words.items():
                text = text.replace(word, str(meaning))
        done[key] = text
    return done
