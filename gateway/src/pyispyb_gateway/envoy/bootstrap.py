"""The whole configuration that Envoy is started with."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pyispyb_gateway.envoy.accesslog import access_log
from pyispyb_gateway.envoy.admin import admin_at
from pyispyb_gateway.envoy.clusters import cluster
from pyispyb_gateway.envoy.extensions import Part, address, header, network, typed
from pyispyb_gateway.envoy.filters import TOKENS, chain, found_in, token_filter
from pyispyb_gateway.envoy.replies import replies
from pyispyb_gateway.envoy.routes import table
from pyispyb_gateway.keys import Credential
from pyispyb_gateway.router import routes
from pyispyb_gateway.settings import GatewaySettings

MANAGER = "envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager"
UUID = "envoy.extensions.request_id.uuid.v3.UuidRequestIdConfig"
CONNECTIONS = (
    "envoy.extensions.resource_monitors.downstream_connections.v3.DownstreamConnectionsConfig"
)
EXTENSION = "envoy.config.core.v3.TypedExtensionConfig"
FORWARDED = "envoy.extensions.http.original_ip_detection.xff.v3.XffConfig"
EARLY = "envoy.extensions.http.early_header_mutation.header_mutation.v3.HeaderMutation"
Ranges = Sequence[Part]
# What no client may say; kong.yml's first global plugin takes the same off.
REMOVED = (
    "x-consumer-id",
    "x-consumer-custom-id",
    "x-consumer-username",
    "x-consumer-groups",
    "x-credential-identifier",
    "x-credential-username",
    "x-anonymous-consumer",
    "x-authenticated-userid",
    "x-authenticated-scope",
    "x-authenticated-groups",
    "remote-user",
    "remote-name",
    "remote-email",
    "remote-groups",
    "x-remote-user",
    "x-forwarded-user",
    "x-forwarded-email",
    "x-forwarded-groups",
    "x-forwarded-preferred-username",
    "x-auth-request-user",
    "x-auth-request-email",
    "x-auth-request-groups",
    "x-forwarded-client-cert",
    "x-ssl-client-cert",
    "ssl-client-cert",
    "true-client-ip",
    "x-client-ip",
    "x-cluster-client-ip",
    "cf-connecting-ip",
    "x-forwarded-prefix",
    "x-script-name",
    "script-name",
    "x-path-info",
    "path-info",
    "x-original-url",
    "x-original-uri",
    "x-rewrite-url",
    "x-http-method-override",
    "forwarded",
    "x-forwarded",
    "proxy",
)


def render(
    tree: Mapping[str, Any],
    settings: GatewaySettings,
    keys_in: Path | None = None,
    told_at: Path | None = None,
) -> Part:
    """The filled kong.yml for an Envoy of this site, its keys in it or in a file.

    `told_at` is the socket by which it can be told to end.
    """
    tokens = found_in(keys_in) if keys_in else {"typed_config": token_filter(_credentials(tree))}
    found = list(routes(tree))
    patience = {route.upstream: route.connect_timeout for route in found}
    vouched = {
        service["host"]: str(settings.auth_ca)
        for service in tree["services"]
        if service.get("protocol") == "https"
    }
    return {
        **({} if told_at is None else {"admin": admin_at(told_at)}),
        # Whoever takes a part of its configuration from elsewhere must have a name.
        "node": {"id": "gateway", "cluster": "pyispyb"},
        "static_resources": {
            "listeners": [
                {
                    "name": "public",
                    "address": address(settings.listen),
                    # Two gateways on one port would share its requests, silently.
                    "enable_reuse_port": False,
                    "filter_chains": _chains(tree, settings, tokens),
                }
            ],
            "clusters": [
                cluster(upstream, patience[upstream["name"]], vouched.get(upstream["name"]))
                for upstream in tree["upstreams"]
            ],
        },
        "overload_manager": {
            "resource_monitors": [
                {
                    "name": "envoy.resource_monitors.global_downstream_max_connections",
                    "typed_config": typed(CONNECTIONS, max_active_downstream_connections=10_000),
                }
            ]
        },
    }


def discovered_keys(tree: Mapping[str, Any]) -> Part:
    """What Envoy reads in the file of its keys."""
    config = token_filter(_credentials(tree))
    resource = typed(EXTENSION, name=TOKENS, typed_config=config)
    return {"resources": [resource]}


def _credentials(tree: Mapping[str, Any]) -> list[Credential]:
    return [key for consumer in tree["consumers"] for key in consumer["jwt_secrets"]]


def _chains(tree: Mapping[str, Any], settings: GatewaySettings, tokens: Part) -> list[Part]:
    """One chain for everybody, and before it one for the proxies that are trusted."""
    everybody = {"name": "everybody", "filters": [_manager(tree, settings, tokens)]}
    ranges = [network(one) for one in settings.trusted_proxies]
    if not ranges:
        return [everybody]
    proxies = {
        "name": "proxies",
        "filter_chain_match": {"source_prefix_ranges": ranges},
        "filters": [_manager(tree, settings, tokens, ranges)],
    }
    return [proxies, everybody]


def _manager(
    tree: Mapping[str, Any], settings: GatewaySettings, tokens: Part, ranges: Ranges = ()
) -> Part:
    """What happens to the requests of a connection; `ranges` if it comes from a trusted proxy."""
    found = list(routes(tree))
    realm = next(route.plugins["jwt"]["realm"] for route in found if "jwt" in route.plugins)
    port = int(settings.listen.rpartition(":")[2])
    return {
        "name": "envoy.filters.network.http_connection_manager",
        "typed_config": typed(
            MANAGER,
            stat_prefix="public",
            codec_type="AUTO",
            route_config=table(found),
            http_filters=chain(tokens, port, behind_a_proxy=bool(ranges)),
            local_reply_config=replies(realm),
            access_log=access_log(),
            **_paths(),
            **_identity(),
            **(_said_by_a_proxy(ranges) if ranges else _the_peer()),
            **_limits(),
        ),
    }


def _paths() -> Part:
    return {
        "normalize_path": True,
        "merge_slashes": True,
        "path_with_escaped_slashes_action": "KEEP_UNCHANGED",
    }


def _identity() -> Part:
    """Whose request it is not for a client to say, but for an id that a filter lets it choose."""
    aside = header("x-sent-request-id", "%REQ(X-REQUEST-ID)%")
    mutations: list[Part] = [
        {"remove": "x-sent-request-id"},
        {"append": aside},
        {"remove": "x-request-id"},
    ]
    mutations += [{"remove": name} for name in REMOVED]
    # Envoy takes its own headers off by itself only where the peer is the client.
    own = {"prefix": "x-envoy-", "ignore_case": True}
    mutations.append({"remove_on_match": {"key_matcher": own}})
    return {
        # Nobody is trusted for being near: an internal caller could set Envoy's own headers.
        "internal_address_config": {
            "cidr_ranges": [{"address_prefix": "255.255.255.255", "prefix_len": 32}]
        },
        "generate_request_id": True,
        "always_set_request_id_in_response": True,
        "request_id_extension": {"typed_config": typed(UUID, pack_trace_reason=False)},
        "early_header_mutation_extensions": [
            {
                "name": "envoy.http.early_header_mutation.header_mutation",
                "typed_config": typed(EARLY, mutations=mutations),
            }
        ],
        "server_header_transformation": "PASS_THROUGH",
    }


def _the_peer() -> Part:
    """The client's address is that of the connection."""
    return {"use_remote_address": True}


def _said_by_a_proxy(ranges: Ranges) -> Part:
    """The client's address is the rightmost forwarded one that is not a trusted proxy's."""
    detection = typed(FORWARDED, xff_trusted_cidrs={"cidrs": list(ranges)}, skip_xff_append=False)
    name = "envoy.http.original_ip_detection.xff"
    return {"original_ip_detection_extensions": [{"name": name, "typed_config": detection}]}


def _limits() -> Part:
    """Time for a client to send its headers; streams live as long as something moves in them."""
    return {
        "common_http_protocol_options": {
            "headers_with_underscores_action": "DROP_HEADER",
            # Of a connection on which nothing is asked; an hour by default.
            "idle_timeout": "75s",
        },
        "request_headers_timeout": "10s",
        "request_timeout": "0s",
        "stream_idle_timeout": "60s",
    }
