"""What verifying a token costs a request, in µs: for the first time, and when it is known.

Run: python bench/tokens.py
"""

import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

from pyispyb_chassis.configuration import Issuer
from pyispyb_chassis.revocations import Revoked
from pyispyb_chassis.tokens import Verifier

ROUNDS, KNOWN_ROUNDS = 400, 20_000
KEYS = {
    "ES256": lambda: ec.generate_private_key(ec.SECP256R1()),
    "RS256": lambda: rsa.generate_private_key(65537, 2048),
    "EdDSA": ed25519.Ed25519PrivateKey.generate,
}


def main() -> None:
    """Print a line for each algorithm, the median of its rounds."""
    sys.stdout.write("algorithm  cold µs  known µs  known with a list of 10,000 µs\n")
    with tempfile.TemporaryDirectory() as folder:
        for algorithm in KEYS:
            figures = measured(algorithm, Path(folder))
            sys.stdout.write(f"{algorithm:9}" + "".join(f"{one:9.1f}" for one in figures) + "\n")


def measured(algorithm: str, folder: Path) -> tuple[float, float, float]:
    """Cold, known, and known while a long list of revocations is in force."""
    key = KEYS[algorithm]()
    pem = folder / f"{algorithm}.pem"
    pem.write_bytes(
        key.public_key().public_bytes(
            serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
        )
    )
    block = Issuer(issuer="https://bench", pem_file=pem, kid="k", algorithms=(algorithm,))
    verifier = Verifier({"bench": block})
    now = int(time.time())

    def header(n: int) -> list[str]:
        said = {"iss": "https://bench", "sub": "alice", "iat": now, "exp": now + 900}
        said |= {"jti": f"4f9c1d6e-0000-4000-8000-{n:012}", "sid": "0f9c1d6e"}
        return [f"Bearer {jwt.encode(said, key, algorithm, {'kid': 'k'})}"]

    headers = [header(n) for n in range(ROUNDS)]
    verifier.verify(header(ROUNDS))
    cold = [microseconds(lambda one=one: verifier.verify(one)) for one in headers]  # type: ignore[misc]
    known = [microseconds(lambda: verifier.verify(headers[-1])) for _ in range(KNOWN_ROUNDS)]
    many = frozenset(f"revoked-{n}" for n in range(10_000))
    verifier.trusted[0].revocations.list = Revoked(now, many, many, dict.fromkeys(many, 1.0))
    listed = [microseconds(lambda: verifier.verify(headers[-1])) for _ in range(KNOWN_ROUNDS)]
    return statistics.median(cold), statistics.median(known), statistics.median(listed)


def microseconds(call: Callable[[], object]) -> float:
    """How long one call takes."""
    began = time.perf_counter()
    call()
    return (time.perf_counter() - began) * 1e6


if __name__ == "__main__":
    main()
