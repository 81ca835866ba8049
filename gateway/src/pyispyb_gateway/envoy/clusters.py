"""The services' replicas, their health checks and the connections kept to them."""

from collections.abc import Mapping
from typing import Any

from pyispyb_gateway.envoy.extensions import Part, address, seconds, typed

TLS = "envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext"
PROTOCOL = "envoy.extensions.upstreams.http.v3.HttpProtocolOptions"
# A request sent on a connection that the service is just closing is lost: ours close first, also
# before those of a site's own auth service, which may have gunicorn's default of 2 s.
IDLE = "1s"
MOST_AT_ONCE = 1024


def cluster(upstream: Mapping[str, Any], connect_timeout: int, authorities: str | None) -> Part:
    """One upstream of the file; `authorities` is the file of those that vouch for it, with TLS."""
    return {
        "name": upstream["name"],
        "type": "STRICT_DNS",
        # A name that has addresses of both kinds is tried by both.
        "dns_lookup_family": "ALL",
        "connect_timeout": seconds(connect_timeout),
        "lb_policy": "ROUND_ROBIN",
        "load_assignment": {
            "cluster_name": upstream["name"],
            "endpoints": [
                {
                    "lb_endpoints": [
                        {"endpoint": {"address": address(target["target"])}}
                        for target in upstream["targets"]
                    ]
                }
            ],
        },
        **_checks(upstream),
        # Envoy tries three requests again at a time, unless told: a replica that dies has more.
        "circuit_breakers": {"thresholds": [{"max_retries": MOST_AT_ONCE}]},
        # Envoy would rather send to a dead replica than to none.
        "common_lb_config": {"healthy_panic_threshold": {"value": 0}},
        "typed_extension_protocol_options": {
            PROTOCOL: typed(
                PROTOCOL,
                common_http_protocol_options={"idle_timeout": IDLE},
                explicit_http_config={"http_protocol_options": {}},
            )
        },
        **({} if authorities is None else _tls(upstream["host_header"], authorities)),
    }


def _checks(upstream: Mapping[str, Any]) -> Part:
    """The active health checks; none where the file says 0 for how often."""
    active = upstream["healthchecks"]["active"]
    every, unhealthy = active["healthy"]["interval"], active["unhealthy"]
    if not every:
        return {}
    check = {
        "timeout": f"{active['timeout']}s",
        "interval": f"{every}s",
        "unhealthy_interval": f"{unhealthy['interval']}s",
        # Envoy's default looks at a service that nobody calls once a minute.
        "no_traffic_interval": f"{every}s",
        "healthy_threshold": active["healthy"]["successes"],
        "unhealthy_threshold": max(unhealthy["timeouts"], unhealthy["tcp_failures"]),
        "http_health_check": {
            "path": active["http_path"],
            "host": upstream.get("host_header", upstream["name"]),
        },
    }
    return {"health_checks": [check]}


def _tls(host: str, authorities: str) -> Part:
    """TLS to a service whose certificate must be for the name that it is called by."""
    name = host.partition(":")[0]
    context = {
        "trusted_ca": {"filename": authorities},
        "match_typed_subject_alt_names": [
            {"san_type": kind, "matcher": {"exact": name}} for kind in ("DNS", "IP_ADDRESS")
        ],
    }
    return {
        "transport_socket": {
            "name": "envoy.transport_sockets.tls",
            "typed_config": typed(
                TLS, sni=name, common_tls_context={"validation_context": context}
            ),
        }
    }
