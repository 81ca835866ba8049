"""Envoy's names of its extensions, and the message that a part of a configuration is."""

from ipaddress import IPv4Network, IPv6Network
from typing import Any

Part = dict[str, Any]
HTTP = "envoy.extensions.filters.http"


def typed(kind: str, **fields: Any) -> Part:
    """A message of the type `kind`."""
    return {"@type": f"type.googleapis.com/{kind}", **fields}


def seconds(milliseconds: float) -> str:
    """A duration as Envoy writes it."""
    return f"{milliseconds / 1000:g}s"


def address(written: str) -> Part:
    """`host:port` as an address."""
    host, _, port = written.rpartition(":")
    return {"socket_address": {"address": host, "port_value": int(port)}}


def network(range_: IPv4Network | IPv6Network) -> Part:
    """Addresses that begin alike."""
    return {"address_prefix": str(range_.network_address), "prefix_len": range_.prefixlen}


def header(name: str, value: str) -> Part:
    """A header that replaces one of the same name."""
    action = "OVERWRITE_IF_EXISTS_OR_ADD"
    return {"header": {"key": name, "value": value}, "append_action": action}
