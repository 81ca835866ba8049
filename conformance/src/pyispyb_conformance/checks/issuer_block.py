"""Section 8: the issuer's block of ispyb.toml against the token (with --issuer-block)."""

import re

from pyispyb_conformance.asking import Asking
from pyispyb_conformance.block import Block
from pyispyb_conformance.clauses import Broken, Level, NotTried, clause
from pyispyb_conformance.subject import Subject
from pyispyb_conformance.tokens import public_key, verify

BELIEVABLE = ("groups", "scope", "beamlines")


def block_of(subject: Subject) -> Block:
    """The block. Raises NotTried where none was given."""
    if subject.block is None:
        raise NotTried("give --issuer-block FILE")
    return subject.block


@clause("8.1", Level.REQUIRED, "issuer")
def issuer_fits(subject: Subject) -> str:
    """`issuer` is the token's `iss`, letter for letter."""
    block = block_of(subject)
    if subject.claims.get("iss") != block.issuer:
        raise Broken(f"issuer {block.issuer!r}, iss {subject.claims.get('iss')!r}")
    return f"[issuers.{block.name}]"


@clause("8.2", Level.REQUIRED, "algorithms")
def algorithms_fit(subject: Subject) -> str:
    """`algorithms` (`ES256` if left out) has the token's `alg`."""
    block = block_of(subject)
    if subject.header.get("alg") not in block.algorithms:
        raise Broken(f"algorithms {block.algorithms}, alg {subject.header.get('alg')!r}")
    return ", ".join(block.algorithms)


@clause("8.3", Level.REQUIRED, "audience")
def audience_fits(subject: Subject) -> str:
    """`audience`, if it is set, is in the token's `aud`; with a second block in the file it is
    set."""
    block = block_of(subject)
    wanted, said = block.fields.get("audience"), subject.claims.get("aud")
    if wanted is None:
        if block.of > 1:
            raise Broken(f"{block.of} blocks, and this one sets none")
        return "none"
    if wanted != said and not (isinstance(said, list) and wanted in said):
        raise Broken(f"audience {wanted!r}, aud {said!r}")
    return str(wanted)


@clause("8.4", Level.REQUIRED, "login")
def login_fits(subject: Subject) -> str:
    """The claim that `login_claim` names is there and matches `login_pattern`."""
    block = block_of(subject)
    login = subject.claims.get(block.login_claim)
    if not isinstance(login, str) or not re.fullmatch(block.login_pattern, login):
        raise Broken(f"{block.login_claim} {login!r} does not match {block.login_pattern}")
    return f"{block.login_claim} {login}"


@clause("8.5", Level.REQUIRED, "keys")
def keys_fit(subject: Subject) -> str:
    """Exactly one of `jwks_url` and `pem_file` (with `kid`) is set, and it has the key that
    verifies the token."""
    block = block_of(subject)
    url = block.fields.get("jwks_url")
    if (url is None) == (block.pem is None):
        raise Broken("give exactly one of jwks_url and pem_file")
    if url is None:
        verify(subject.token, subject.key_of(subject.token))
        return str(block.pem)
    answer = Asking(str(url)).get("")
    if not answer.status:
        raise NotTried(f"{url} is not in reach from here: {answer.fault}")
    keys = answer.object(200).get("keys")
    kid = subject.header.get("kid")
    named = [key for key in keys if key.get("kid") == kid] if isinstance(keys, list) else []
    if not named:
        raise Broken(f"no key {kid!r} at {url}")
    verify(subject.token, public_key(named[0], str(subject.header.get("alg"))))
    return str(url)


@clause("8.6", Level.INFORMATION, "believed")
def believes(subject: Subject) -> str:
    """What `believes` lists is taken from the token; the rest of it is not."""
    block = block_of(subject)
    listed = block.fields.get("believes", [])
    unheard = [name for name in BELIEVABLE if name in subject.claims and name not in listed]
    said = ", ".join(listed) or "nothing"
    return f"{said}; in the token and not believed: {', '.join(unheard)}" if unheard else said
