"""The drill: the real file in a real engine, and everything that happens to it in its life.

The steps stand on one another, in this order.
"""

import pytest
import requests
from tests.compose.running import Site
from tests.suite.running import Caller

pytestmark = [pytest.mark.suite, pytest.mark.timeout(900)]


def test_the_images_are_built(site: Site) -> None:
    site.bash("docker compose build", seconds=900)


def test_one_command_starts_everything(site: Site) -> None:
    site.bash("docker compose up --detach --wait", seconds=400)
    printed = site.bash("docker compose logs --no-log-prefix welcome")
    assert f"PyISPyB is ready at {site.url}" in printed


def test_the_gateway_answers(site: Site) -> None:
    for service in ("auth", "core", "ssx"):
        answer = requests.get(f"{site.url}/{service}/version", timeout=10)
        assert answer.status_code == 200, service


def test_alice_reads_and_books(site: Site) -> None:
    alice = Caller(site.url, "alice")
    proposal = alice.ask("/core/proposals/MX1001").json()
    assert proposal["proposalCode"] == "MX"
    booked = alice.ask(
        "/core/shippings",
        method="POST",
        json={"proposalId": proposal["proposalId"], "shippingName": "in containers"},
    )
    assert booked.status_code == 201
    assert alice.ask(booked.headers["Location"]).json()["shippingName"] == "in containers"
