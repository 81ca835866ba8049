"""What would let a caller in without a good token: the jwt plugin and its keys."""

from collections.abc import Iterator

from pyispyb_gateway.document import Document
from pyispyb_gateway.keys import NoKeys, load
from pyispyb_gateway.lint.reading import configs, credentials, lines_of_routes, routes_of
from pyispyb_gateway.lint.rules import Fault, rule
from pyispyb_gateway.router import REGEX, route_of

TOKEN_SERVICES = frozenset({"core", "ssx"})
# One of each kind of path that must never be answered without a token.
PROTECTED = (
    "/core/proposals",
    "/core/persons/1",
    "/core/docs/a/b",
    "/ssx/runs",
    "/ssx/runs/1/summary",
    "/ssx/runs/1/batches/1",
)


@rule("jwt-exp", "set claims_to_verify: [exp]")
def _jwt_exp(document: Document) -> Iterator[Fault]:
    for config in configs(document.tree, "jwt"):
        if "exp" not in config.get("claims_to_verify", []):
            yield config.line_of("claims_to_verify"), "jwt takes expired tokens"


@rule("jwt-uri", "set uri_param_names: []")
def _jwt_uri(document: Document) -> Iterator[Fault]:
    for config in configs(document.tree, "jwt"):
        if config.get("uri_param_names") != []:
            yield config.line_of("uri_param_names"), "jwt takes tokens from the URL"


@rule("jwt-cookie", "set cookie_names: []")
def _jwt_cookie(document: Document) -> Iterator[Fault]:
    for config in configs(document.tree, "jwt"):
        if config.get("cookie_names") != []:
            yield config.line_of("cookie_names"), "jwt takes tokens from cookies"


@rule("jwt-key-claim", "set key_claim_name: kid")
def _jwt_key_claim(document: Document) -> Iterator[Fault]:
    for config in configs(document.tree, "jwt"):
        if config.get("key_claim_name") != "kid":
            yield (
                config.line_of("key_claim_name"),
                "jwt looks for the key by another claim than kid",
            )


@rule("jwt-anonymous", "take anonymous out: no token is 401")
def _jwt_anonymous(document: Document) -> Iterator[Fault]:
    for config in configs(document.tree, "jwt"):
        if "anonymous" in config:
            yield config.line_of("anonymous"), "jwt lets callers without a token through"


@rule("jwt-missing", "put the jwt plugin on the service")
def _jwt_missing(document: Document) -> Iterator[Fault]:
    lines = dict(lines_of_routes(document.tree))
    found = routes_of(document)
    taken = {route.name for path in PROTECTED if (route := route_of(document.tree, path))}
    for route in found:
        open_to_all = "jwt" not in route.plugins and route.upstream in TOKEN_SERVICES
        prefix = any(not path.startswith(REGEX) for path in route.paths)
        if open_to_all and (prefix or route.name in taken):
            yield lines[route.name], f"route {route.name} is open to callers without a token"


@rule("credential-algorithm", "write its algorithm: Kong's default is HS256")
def _credential_algorithm(document: Document) -> Iterator[Fault]:
    for credential in credentials(document.tree):
        if "algorithm" not in credential:
            yield credential.line, f"key {credential.get('key')} has no algorithm"


@rule("credential-key", "put in the public key in PEM form, of the kind its algorithm needs")
def _credential_key(document: Document) -> Iterator[Fault]:
    for credential in credentials(document.tree):
        pem = credential.get("rsa_public_key")
        try:
            load(str(pem), credential.get("algorithm", "ES256"))
        except NoKeys as fault:
            at = credential.line_of("rsa_public_key")
            yield at, f"key {credential.get('key')}: {fault}: every token of it would be a 500"


@rule("kid-twice", "give every key of every issuer a kid of its own")
def _kid_twice(document: Document) -> Iterator[Fault]:
    seen: set[str] = set()
    for credential in credentials(document.tree):
        kid = credential.get("key")
        if kid in seen:
            yield credential.line_of("key"), f"two keys have the kid {kid}"
        seen.add(str(kid))
