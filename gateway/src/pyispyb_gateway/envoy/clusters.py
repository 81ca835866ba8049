"""The services' replicas, their health checks and the connections kept to them."""

from collections.abc import Mapping
from typing import Any

from pyispyb_gateway.envoy.extensions import Part, address, seconds, typed

PROTOCOL = "envoy.extensions.upstreams.http.v3.HttpProtocolOptions"
# A request sent on a connection that the service is just closing is lost: ours close first, also
# before those of a site's own auth service, which may have gunicorn's default of 2 s.
IDLE = "1s"


def cluster(upstream: Mapping[str, Any], connect_timeout: int) -> Part:
    """One upstream of the file."""
    active = upstream["healthchecks"]["active"]
    unhealthy = active["unhealthy"]
    return {
        "name": upstream["name"],
        "type": "STRICT_DNS",
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
        "health_checks": [
            {
                "timeout": f"{active['timeout']}s",
                "interval": f"{active['healthy']['interval']}s",
                "unhealthy_interval": f"{unhealthy['interval']}s",
                # Envoy's default looks at a service that nobody calls once a minute.
                "no_traffic_interval": f"{active['healthy']['interval']}s",
                "healthy_threshold": active["healthy"]["successes"],
                "unhealthy_threshold": max(unhealthy["timeouts"], unhealthy["tcp_failures"]),
                "http_health_check": {"path": active["http_path"], "host": upstream["name"]},
            }
        ],
        # Envoy would rather send to a dead replica than to none.
        "common_lb_config": {"healthy_panic_threshold": {"value": 0}},
        "typed_extension_protocol_options": {
            PROTOCOL: typed(
                PROTOCOL,
                common_http_protocol_options={"idle_timeout": IDLE},
                explicit_http_config={"http_protocol_options": {}},
            )
        },
    }
