"""The ES256 keys that sign: one file each, private to this service, made at first start."""

import fcntl
import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from jwt.algorithms import ECAlgorithm

FOLDER_MODE, FILE_MODE = 0o700, 0o600


class NoKeys(Exception):
    """There is no usable signing key in the folder."""


@dataclass(frozen=True, slots=True)
class SigningKey:
    """A key pair by its `kid`; the newest one signs, all verify."""

    kid: str
    made: datetime
    private: ec.EllipticCurvePrivateKey

    @property
    def jwk(self) -> dict[str, Any]:
        """The public half as a JWK."""
        public = ECAlgorithm.to_jwk(self.private.public_key(), as_dict=True)
        return {**public, "kid": self.kid, "alg": "ES256", "use": "sig"}


def initialise(folder: Path) -> SigningKey:
    """Make the first key where there is none; several that start at once make one."""
    folder.mkdir(parents=True, exist_ok=True, mode=FOLDER_MODE)
    folder.chmod(FOLDER_MODE)
    with _alone(folder):
        found = keys_in(folder)
        return found[0] if found else _make(folder)


def keys_in(folder: Path) -> list[SigningKey]:
    """Every key of the folder, the newest first. Raises NoKeys for a file that is no key."""
    keys: list[SigningKey] = []
    for file in folder.glob("*.pem"):
        try:
            private = serialization.load_pem_private_key(file.read_bytes(), password=None)
        except (ValueError, OSError) as error:
            raise NoKeys(f"{file}: not a readable private key") from error
        if not isinstance(private, ec.EllipticCurvePrivateKey):
            raise NoKeys(f"{file}: not an ES256 key")
        made, _, kid = file.stem.partition("-")
        when = datetime.strptime(made, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
        keys.append(SigningKey(kid, when, private))
    return sorted(keys, key=lambda key: (key.made, key.kid), reverse=True)


def _make(folder: Path) -> SigningKey:
    private = ec.generate_private_key(ec.SECP256R1())
    spki = private.public_key().public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    kid = hashlib.sha256(spki).hexdigest()[:16]
    made = datetime.now(UTC).replace(microsecond=0)
    pem = private.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    file = folder / f"{made:%Y%m%dT%H%M%SZ}-{kid}.pem"
    unfinished = file.with_suffix(".new")
    opened = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, FILE_MODE)
    with os.fdopen(opened, "wb") as out:
        out.write(pem)
        out.flush()
        os.fsync(out.fileno())
    unfinished.rename(file)
    return SigningKey(kid, made, private)


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    opened = os.open(folder / ".lock", os.O_WRONLY | os.O_CREAT, FILE_MODE)
    try:
        fcntl.flock(opened, fcntl.LOCK_EX)
        yield
    finally:
        os.close(opened)
