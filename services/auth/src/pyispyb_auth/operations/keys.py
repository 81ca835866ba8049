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

from pyispyb_auth.operations.audit import audit

FOLDER_MODE, FILE_MODE = 0o700, 0o600
MADE = "%Y%m%dT%H%M%SZ"


class NoKeys(Exception):
    """There is no usable signing key in the folder; the text says why in one line."""


@dataclass(frozen=True, slots=True)
class SigningKey:
    """A key pair by its `kid`."""

    kid: str
    made: datetime
    private: ec.EllipticCurvePrivateKey

    @property
    def jwk(self) -> dict[str, Any]:
        """The public half as a JWK."""
        public = ECAlgorithm.to_jwk(self.private.public_key(), as_dict=True)
        return {**public, "kid": self.kid, "alg": "ES256", "use": "sig"}

    def file_in(self, folder: Path) -> Path:
        """Where it lies."""
        return folder / f"{self.made:{MADE}}-{self.kid}.pem"


def initialise(folder: Path) -> list[SigningKey]:
    """The keys of the folder; the first is made where there is none, by one of several starts.

    A folder that holds keys is left as it is: it may be mounted for reading only.
    Raises NoKeys.
    """
    found = keys_in(folder)
    if found:
        return found
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=FOLDER_MODE)
        folder.chmod(FOLDER_MODE)
        with _alone(folder):
            return keys_in(folder) or [_make(folder)]
    except OSError as error:
        raise NoKeys(f"{folder}: no signing key can be made: {error.strerror}") from error


def rotate(folder: Path) -> SigningKey:
    """Make one more key, which begins to sign when everybody has it. Raises NoKeys."""
    if not keys_in(folder):
        raise NoKeys(f"{folder}: no signing key yet: keys init makes the first")
    try:
        with _alone(folder):
            return _make(folder)
    except OSError as error:
        raise NoKeys(f"{folder}: no signing key can be made: {error.strerror}") from error


def keys_in(folder: Path) -> list[SigningKey]:
    """Every key of the folder, the newest first. Raises NoKeys for a file that is no key."""
    keys = [_read(file) for file in folder.glob("*.pem")]
    return sorted(keys, key=lambda key: (key.made, key.kid), reverse=True)


def fault(folder: Path) -> str | None:
    """One line where a service that starts now would find no usable key, else None."""
    try:
        return None if keys_in(folder) else f"{folder}: no signing key"
    except NoKeys as error:
        return str(error)


def _read(file: Path) -> SigningKey:
    try:
        private = serialization.load_pem_private_key(file.read_bytes(), password=None)
    except (ValueError, TypeError, OSError) as error:
        raise NoKeys(f"{file}: not a readable private key") from error
    if not isinstance(private, ec.EllipticCurvePrivateKey) or private.curve.name != "secp256r1":
        raise NoKeys(f"{file}: not an ES256 key")
    made, _, kid = file.stem.partition("-")
    try:
        when = datetime.strptime(made, MADE).replace(tzinfo=UTC)
    except ValueError as error:
        raise NoKeys(f"{file}: a key's name is <time>-<kid>.pem, the time as in {MADE}") from error
    return SigningKey(kid, when, private)


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
    key = SigningKey(kid, made, private)
    file = key.file_in(folder)
    unfinished = file.with_suffix(".new")
    opened = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, FILE_MODE)
    with os.fdopen(opened, "wb") as out:
        out.write(pem)
        out.flush()
        os.fsync(out.fileno())
    unfinished.rename(file)
    audit("key made", kid=kid)
    return key


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    opened = os.open(folder / ".lock", os.O_WRONLY | os.O_CREAT, FILE_MODE)
    try:
        fcntl.flock(opened, fcntl.LOCK_EX)
        yield
    finally:
        os.close(opened)
