"""Puts a site's values into the placeholders of kong.yml: one value, or a whole list."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any
from urllib.parse import urlsplit

from pyispyb_chassis.configuration import Suite
from pyispyb_gateway.document import Document, Row, Table
from pyispyb_gateway.keys import Credential
from pyispyb_gateway.settings import GatewaySettings

WHOLE = re.compile(r"\$\{([A-Z_]+)\}")
ANYWHERE = re.compile(r"\$\{[^}]*\}?")
SYNC = "~/core/sync(/|$)"
NAMES = frozenset(
    {
        "AUTH_HEALTH_PATH",
        "AUTH_HEALTH_SECONDS",
        "AUTH_HOST",
        "AUTH_PROTOCOL",
        "AUTH_TARGETS",
        "AUTH_TLS_VERIFY",
        "BATCH_MEGABYTES",
        "BODY_MEGABYTES",
        "CORE_TARGETS",
        "ISSUER_KEYS",
        "ORIGINS",
        "RATE_PER_ADDRESS",
        "RATE_PER_TOKEN",
        "SHUT_SYNC",
        "SSX_TARGETS",
    }
)


def values(settings: GatewaySettings, suite: Suite, keys: Sequence[Credential]) -> dict[str, Any]:
    """What each placeholder stands for at this site; None takes out the key or item."""
    return {
        **_auth(settings),
        "BATCH_MEGABYTES": settings.batch_megabytes,
        "BODY_MEGABYTES": settings.body_megabytes,
        "CORE_TARGETS": [{"target": target} for target in settings.core_targets],
        "ISSUER_KEYS": [dict(key) for key in keys],
        # Kong takes an empty list of origins for "every origin".
        "ORIGINS": list(settings.cors_origins) or [suite.url],
        "RATE_PER_ADDRESS": settings.rate_per_address,
        "RATE_PER_TOKEN": settings.rate_per_token,
        "SHUT_SYNC": None if settings.open_sync else SYNC,
        "SSX_TARGETS": [{"target": target} for target in settings.ssx_targets],
    }


def _auth(settings: GatewaySettings) -> dict[str, Any]:
    """Where auth is: replicas of ours by plain http, or a site's own by the URL that it gave."""
    targets, host, protocol = settings.auth_targets, "auth", "http"
    if settings.auth_url is not None:
        url = urlsplit(settings.auth_url)
        port = url.port or (443 if url.scheme == "https" else 80)
        targets, host, protocol = (f"{url.hostname}:{port}",), url.netloc, url.scheme
    return {
        "AUTH_HEALTH_PATH": settings.auth_health_path or None,
        # Kong takes 0 for never.
        "AUTH_HEALTH_SECONDS": 1 if settings.auth_health_path else 0,
        "AUTH_HOST": host,
        "AUTH_PROTOCOL": protocol,
        "AUTH_TARGETS": [{"target": target} for target in targets],
        # Kong refuses the key on a service without TLS, whatever its value.
        "AUTH_TLS_VERIFY": True if protocol == "https" else None,
    }


def fill(document: Document, given: Mapping[str, Any]) -> Document:
    """The document with every known placeholder replaced; what stays is for the lint to name."""
    return replace(document, tree=_filled(document.tree, given, document.tree.line))


def _filled(value: Any, given: Mapping[str, Any], line: int) -> Any:
    if isinstance(value, Table):
        table = Table(value.line)
        for key, part in value.items():
            at = value.line_of(key)
            filled = _filled(part, given, at)
            if filled is not None or part is None:
                table.put(key, filled, at)
        return table
    if isinstance(value, Row):
        row = Row(value.line)
        for part, at in zip(value, value.lines, strict=True):
            filled = _filled(part, given, at)
            if filled is not None or part is None:
                row.put(filled, at)
        return row
    if isinstance(value, str) and (match := WHOLE.fullmatch(value)) and match[1] in given:
        return _placed(given[match[1]], line)
    return value


def _placed(value: Any, line: int) -> Any:
    """A filled value, all of it on the line of its placeholder."""
    if isinstance(value, Mapping):
        table = Table(line)
        for key, part in value.items():
            table.put(key, _placed(part, line), line)
        return table
    if isinstance(value, list):
        row = Row(line)
        for part in value:
            row.put(_placed(part, line), line)
        return row
    return value
