"""The public keys of the trusted issuers, as Kong's jwt credentials and as JSON Web Keys."""

import json
import time
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any, TypedDict, cast

import jwt
import orjson
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_pem_public_key,
)
from jwt.algorithms import ECAlgorithm, OKPAlgorithm, RSAAlgorithm

from pyispyb_chassis.configuration import Issuer
from pyispyb_chassis.issuer_keys import FAULTS, LARGEST_JWKS, fetched

PAUSE = 0.25
PublicKey = EllipticCurvePublicKey | RSAPublicKey | Ed25519PublicKey
KINDS: dict[str, tuple[type, ...]] = {
    "ES256": (EllipticCurvePublicKey,),
    "RS256": (RSAPublicKey,),
    "EdDSA": (Ed25519PublicKey,),
}


class Credential(TypedDict):
    """A jwt_secret of Kong: `key` is the kid; rsa_public_key holds keys of every kind."""

    key: str
    algorithm: str
    rsa_public_key: str


class NoKeys(Exception):
    """An issuer's keys could not be had, or are not what its block in ispyb.toml allows."""


class Unreachable(NoKeys):
    """Nothing that could be a list of keys is to be had: the key server may be starting."""


def fetch(issuers: Mapping[str, Issuer], *, within: float) -> list[Credential]:
    """The credentials of every key of every issuer; a key server that is down is waited for."""
    if not issuers:
        raise NoKeys("no issuer is configured: no token could ever be valid ([issuers.<name>])")
    deadline = time.monotonic() + within
    found = [
        credential
        for name, issuer in issuers.items()
        for credential in _waited_for(name, issuer, deadline)
    ]
    refuse_twice(found)
    return found


def load(pem: str, algorithm: str) -> PublicKey:
    """The public key in `pem`; raises NoKeys if it is none, or not one for `algorithm`."""
    try:
        key = load_pem_public_key(pem.encode())
    except (ValueError, UnsupportedAlgorithm) as error:
        raise NoKeys("not a public key in PEM form") from error
    if not isinstance(key, KINDS.get(algorithm, ())):
        raise NoKeys(f"not a key for {algorithm}")
    if isinstance(key, EllipticCurvePublicKey) and not isinstance(key.curve, SECP256R1):
        raise NoKeys(f"not a key for {algorithm}: another curve than P-256")
    return cast("PublicKey", key)


def web_key(credential: Credential) -> dict[str, Any]:
    """A credential as a JSON Web Key."""
    key = load(credential["rsa_public_key"], credential["algorithm"])
    if isinstance(key, EllipticCurvePublicKey):
        written = ECAlgorithm.to_jwk(key)
    elif isinstance(key, RSAPublicKey):
        written = RSAAlgorithm.to_jwk(key)
    else:
        written = OKPAlgorithm.to_jwk(key)
    fields: dict[str, Any] = json.loads(written)
    fields.pop("key_ops", None)
    return {**fields, "kid": credential["key"], "alg": credential["algorithm"], "use": "sig"}


def keys_of(name: str, issuer: Issuer) -> list[Credential]:
    """The credentials of every key of one issuer, asked once; raises NoKeys."""
    if issuer.jwks_url is not None:
        return _of_web_keys(name, issuer, _listed(name, issuer.jwks_url))
    return [_of_file(name, issuer)]


def refuse_twice(credentials: Iterable[Credential]) -> None:
    """Raise NoKeys if two keys have the same kid: either could be taken for the other."""
    kids = Counter(credential["key"] for credential in credentials)
    twice = sorted(kid for kid, times in kids.items() if times > 1)
    if twice:
        raise NoKeys(f"the same kid in two keys: {', '.join(twice)}")


def _waited_for(name: str, issuer: Issuer, deadline: float) -> list[Credential]:
    """The keys of an issuer, asked for again until they are there or the time is over."""
    while True:
        try:
            return keys_of(name, issuer)
        except Unreachable:
            if time.monotonic() + PAUSE > deadline:
                raise
        time.sleep(PAUSE)


def _of_file(name: str, issuer: Issuer) -> Credential:
    if issuer.pem_file is None or issuer.kid is None:
        raise NoKeys(f"issuers.{name}: has neither jwks_url nor pem_file with kid")
    try:
        pem = issuer.pem_file.read_text(encoding="ascii")
    except (OSError, UnicodeDecodeError) as error:
        raise NoKeys(f"issuers.{name}: {issuer.pem_file} cannot be read") from error
    for algorithm in issuer.algorithms:
        try:
            load(pem, algorithm)
        except NoKeys:
            continue
        return {"key": issuer.kid, "algorithm": algorithm, "rsa_public_key": pem}
    raise NoKeys(f"issuers.{name}: {issuer.pem_file}: not a key for {issuer.algorithms}")


def _listed(name: str, url: str) -> list[Any]:
    """The keys at `url`, as they are written there."""
    try:
        keys = orjson.loads(fetched(url, LARGEST_JWKS))["keys"]
    except (*FAULTS, KeyError) as error:
        raise Unreachable(f"issuers.{name}: no keys at {url}: {type(error).__name__}") from error
    if not isinstance(keys, list) or not keys:
        raise Unreachable(f"issuers.{name}: no keys at {url}: it lists no key")
    return keys


def _of_web_keys(name: str, issuer: Issuer, keys: list[Any]) -> list[Credential]:
    """Those keys that sign with an allowed algorithm; the rest of a site's list is no fault."""
    found: list[Credential] = []
    for fields in keys:
        if not isinstance(fields, dict):
            raise NoKeys(f"issuers.{name}: what is no key at {issuer.jwks_url}")
        algorithm = fields.get("alg") or _only(issuer.algorithms)
        if fields.get("use", "sig") != "sig" or algorithm not in issuer.algorithms:
            continue
        if not isinstance(fields.get("kid"), str):
            raise NoKeys(f"issuers.{name}: a key without kid at {issuer.jwks_url}")
        try:
            key = jwt.PyJWK.from_dict(fields, algorithm=algorithm).key
        except FAULTS as error:
            raise NoKeys(f"issuers.{name}: key {fields['kid']} cannot be read") from error
        if not isinstance(key, PublicKey):
            raise NoKeys(f"issuers.{name}: key {fields['kid']} is not a public key")
        pem = key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
        load(pem, algorithm)
        found.append({"key": fields["kid"], "algorithm": algorithm, "rsa_public_key": pem})
    if not found:
        raise NoKeys(f"issuers.{name}: no key for {issuer.algorithms} at {issuer.jwks_url}")
    return found


def _only(algorithms: tuple[str, ...]) -> str | None:
    return algorithms[0] if len(algorithms) == 1 else None
