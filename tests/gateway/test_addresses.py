"""Whose address a service is told, and by whose address open paths are limited."""

from collections.abc import Iterator

import pytest
from pydantic import ValidationError
from tests.gateway.stand import Stand, running
from tests.gateway.tokens import Key

from pyispyb_gateway.settings import GatewaySettings

PROXY = "127.0.0.2"
CLIENT = "127.0.0.1"
PER_ADDRESS = 15


@pytest.fixture(scope="module")
def stand(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stand]:
    settings = {
        "trusted_proxies": [PROXY, "10.0.0.0/8", "2001:db8::/32"],
        "rate_per_address": PER_ADDRESS,
    }
    with running(tmp_path_factory.mktemp("addresses"), [Key("now")], **settings) as found:
        yield found


@pytest.mark.parametrize(
    ("source", "forwarded", "address"),
    [
        (CLIENT, None, CLIENT),
        (CLIENT, "203.0.113.1", CLIENT),
        (CLIENT, "203.0.113.1, 10.1.1.1", CLIENT),
        ("127.0.0.3", "203.0.113.1", "127.0.0.3"),
        (PROXY, None, PROXY),
        (PROXY, "203.0.113.2", "203.0.113.2"),
        (PROXY, "203.0.113.3, 10.1.1.1", "203.0.113.3"),
        (PROXY, "203.0.113.9,127.0.0.1", CLIENT),
        (PROXY, "198.51.100.1, 203.0.113.4, 10.1.1.1, 10.2.2.2", "203.0.113.4"),
        (PROXY, "127.0.0.1, 192.168.1.5", "192.168.1.5"),
        (PROXY, "198.51.100.1, 2001:db9::7", "2001:db9::7"),
        (PROXY, "203.0.113.5,2001:db8::7", "203.0.113.5"),
        (PROXY, "10.3.3.3, 10.1.1.1", "10.3.3.3"),
        (PROXY, "198.51.100.1, nonsense", PROXY),
        (PROXY, "nonsense, 10.1.1.1", PROXY),
        (PROXY, "", PROXY),
    ],
)
def test_the_rightmost_that_is_no_trusted_proxy(
    stand: Stand, source: str, forwarded: str | None, address: str
) -> None:
    sent = {"X-Real-IP": "6.6.6.6", "X-Envoy-External-Address": "6.6.6.6", "X_Real_IP": "6.6.6.6"}
    sent |= {} if forwarded is None else {"X-Forwarded-For": forwarded}
    seen = stand.ask("/auth/login", headers=sent, source=source).json["headers"]
    assert seen["x-real-ip"] == address
    assert seen["x-forwarded-for"].rpartition(",")[2].strip() == source
    assert "6.6.6.6" not in seen.values()


@pytest.mark.parametrize(
    ("source", "scheme", "host", "port"),
    [(PROXY, "https", "ispyb.example.org", "443"), (CLIENT, "http", "ours", None)],
)
def test_how_the_client_called(
    stand: Stand, source: str, scheme: str, host: str, port: str | None
) -> None:
    sent = {
        "Host": "ours",
        "X-Forwarded-Proto": "https",
        "X-Forwarded-Host": "ispyb.example.org",
        "X-Forwarded-Port": "443",
    }
    seen = stand.ask("/ssx/version", headers=sent, source=source).json["headers"]
    assert seen["x-forwarded-proto"] == scheme
    assert seen["x-forwarded-host"] == host
    assert seen["x-forwarded-port"] == port or str(stand.ports["gateway"])


@pytest.mark.parametrize(
    "name",
    ["X-Consumer-ID", "Forwarded", "X-Forwarded-Prefix", "X-Envoy-Retry-On", "X_Forwarded_Prefix"],
)
def test_a_trusted_proxy_says_no_more_than_that(stand: Stand, name: str) -> None:
    seen = stand.ask("/ssx/version", headers={name: "sent-by-client"}, source=PROXY).json
    assert "sent-by-client" not in seen["headers"].values()


def test_each_client_behind_a_proxy_has_its_own_limit(stand: Stand) -> None:
    def ask(client: str) -> int:
        sent = {"X-Forwarded-For": f"6.6.6.6, {client}"}
        return stand.ask("/core/version", headers=sent, source=PROXY).status

    asked = [ask("203.0.113.77") for _ in range(PER_ADDRESS + 1)]
    assert asked == [200] * PER_ADDRESS + [429]
    assert ask("203.0.113.78") == 200


def test_a_client_cannot_leave_its_limit(stand: Stand) -> None:
    asked = [
        stand.ask("/core/version", headers={"X-Forwarded-For": f"203.0.113.{n}"}).status
        for n in range(PER_ADDRESS + 1)
    ]
    assert asked == [200] * PER_ADDRESS + [429]


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        (["0.0.0.0/0"], "to trust everybody"),
        (["::/0"], "to trust everybody"),
        (["10.0.0.1/8"], "host bits set"),
        (["proxy.example.org"], "does not appear to be"),
    ],
)
def test_who_cannot_be_trusted(given: list[str], reason: str) -> None:
    with pytest.raises(ValidationError, match=reason):
        GatewaySettings.model_validate({"trusted_proxies": given})
