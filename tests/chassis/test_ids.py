"""Where a request came from, as far as what says so can be believed."""

import pytest
from flask.testing import FlaskClient
from tests.cast import ALICE, Issuing

PEER = "192.0.2.1"


@pytest.mark.parametrize(
    ("said", "address"),
    [
        (None, PEER),
        ("198.51.100.7", "198.51.100.7"),
        ("2001:DB8:0::7", "2001:db8::7"),
        ("", PEER),
        ("somewhere", PEER),
        ("198.51.100.7, 203.0.113.9", PEER),
        ("198.51.100.7:80", PEER),
        ("198.51.100.007", PEER),
        ("x" * 5000, PEER),
    ],
)
def test_the_address_of_a_request(
    client: FlaskClient, issuing: Issuing, said: str | None, address: str
) -> None:
    headers = issuing.bearer(ALICE) | ({} if said is None else {"X-Real-IP": said})
    peer = {"REMOTE_ADDR": PEER}
    answer = client.get("/hello/things", headers=headers, environ_overrides=peer)
    assert answer.get_json()["address"] == address


def test_a_peer_on_a_socket_file_has_none(client: FlaskClient, issuing: Issuing) -> None:
    peer = {"REMOTE_ADDR": ""}
    answer = client.get("/hello/things", headers=issuing.bearer(ALICE), environ_overrides=peer)
    assert answer.get_json()["address"] == ""
