"""What a stranger does first: make run, paste, look for the request in the log."""

import re
import subprocess
from datetime import datetime

import pytest
import requests
from tests.suite.running import ROOT, Caller, Clone, Run

pytestmark = [pytest.mark.suite, pytest.mark.timeout(900)]

LISTED = '{method="GET",route="/core/proposals",service="core",status_class="2xx"}'


def paste(clone: Clone, commands: str) -> list[str]:
    """Run the commands as bash does; what they print, a line each."""
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", commands],
        cwd=clone.root.parent,
        env=clone.environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def test_readme_and_terminal_show_the_same_commands(first_run: Run) -> None:
    block = re.search(r"```bash\n(.*?)\n```", (ROOT / "README.md").read_text(), re.DOTALL)
    assert block is not None
    assert block[1].replace("http://127.0.0.1:8000", first_run.clone.url) == first_run.commands
    assert len(re.findall(r"^# \d\. ", first_run.commands, re.MULTILINE)) == 4


def test_pasted_commands_leave_their_rows(clone: Clone, first_run: Run) -> None:
    proposals, shipment, batch, summary = paste(clone, first_run.commands)
    assert '"proposalNumber":"1001"' in proposals
    assert '"my first shipment"' in shipment
    assert '"images":3' in batch
    assert '"hitRate":0.6666' in summary
    booked = clone.rows(
        "core",
        "SELECT proposalCode || proposalNumber FROM Shipping JOIN Proposal USING (proposalId)"
        " WHERE shippingName = 'my first shipment'",
    )
    assert booked == [("MX1001",)]
    runs = clone.rows(
        "ssx",
        "SELECT login, state, beamLineName, RunTotal.images, hits, indexed FROM Run"
        " JOIN RunTotal USING (runId) WHERE state = 'open'",
    )
    assert runs == [("alice", "open", "BL1", 3, 2, 1)]


def test_pasted_again_the_shipment_is_booked_once(clone: Clone, first_run: Run) -> None:
    paste(clone, first_run.commands)
    query = "SELECT count(*) FROM Shipping WHERE shippingName = 'my first shipment'"
    assert clone.rows("core", query) == [(1,)]


def test_the_run_is_found_in_one_log(clone: Clone, first_run: Run) -> None:
    del first_run
    caller = Caller(clone.url, "mxcube")
    session = caller.ask("/core/sessions?beamLineName=BL1&sort=startDate").json()["results"][0]
    answer = caller.ask(
        "/ssx/runs",
        method="POST",
        json={"sessionId": session["sessionId"]},
        headers={"X-Request-ID": "run-of-the-log-test"},
    )
    assert (answer.status_code, answer.headers["X-Request-ID"]) == (201, "run-of-the-log-test")
    found = clone.make("logs", "ID=run-of-the-log-test")
    lines = [line for line in found.stdout.splitlines() if " run-of-the-log-test " in line]
    assert found.returncode == 0
    assert len(lines) == len(found.stdout.splitlines())
    assert {line.split()[2] for line in lines} == {"gateway", "ssx", "core"}
    times = [datetime.fromisoformat(line.split()[0]) for line in lines]
    assert times == sorted(times)
    assert any(
        "core run-of-the-log-test mxcube GET /core/user/access 200" in line for line in lines
    )
    assert any("ssx run-of-the-log-test mxcube POST /ssx/runs 201" in line for line in lines)
    assert any("gateway run-of-the-log-test POST /ssx/runs 201" in line for line in lines)


def test_an_id_that_nobody_wrote_is_a_failure(clone: Clone, first_run: Run) -> None:
    del first_run
    found = clone.make("logs", "ID=never-seen")
    assert found.returncode != 0
    assert "no line with the id never-seen" in found.stderr
    assert "Error 1" in found.stderr  # make's own code is 2, the program's 1


def test_the_demo_run_can_be_recounted(clone: Clone, first_run: Run) -> None:
    del first_run
    caller = Caller(clone.url, "alice")
    run = caller.ask("/ssx/runs?state=closed").json()["results"][0]
    summary = caller.ask(f"/ssx/runs/{run['runId']}/summary").json()
    assert summary["images"] == 25_600
    answer = caller.ask(
        f"/ssx/runs/{run['runId']}/images", headers={"Accept": "application/x-ndjson"}, seconds=60
    )
    lines = answer.text.splitlines()
    assert len(lines) == summary["images"]
    assert sum('"hit":true' in line for line in lines) == summary["hits"]
    assert sum('"indexed":true' in line for line in lines) == summary["indexed"]


@pytest.mark.parametrize("path", ["/", "/auth/docs", "/core/docs", "/ssx/docs"])
def test_the_pages_are_open(clone: Clone, first_run: Run, path: str) -> None:
    del first_run
    answer = requests.get(f"{clone.url}{path}", timeout=10)
    assert answer.status_code == 200
    assert answer.headers["Content-Type"].startswith("text/html")


@pytest.mark.parametrize(
    "path", ["/metrics", "/health/ready", "/core/metrics", "/core/health/ready"]
)
def test_the_inside_ports_are_not(clone: Clone, first_run: Run, path: str) -> None:
    del first_run
    assert requests.get(f"{clone.url}{path}", timeout=10).status_code in {401, 404}


@pytest.mark.parametrize(
    ("service", "figure", "least"),
    [
        ("auth", 'pyispyb_audit_events_total{event="logged in"}', 1),
        ("core", f"pyispyb_requests_total{LISTED}", 1),
        ("core", 'pyispyb_pool_connections_most{service="core",use="read"}', 2),
        ("core", 'pyispyb_revocations_read_timestamp_seconds{issuer="suite"', 1.7e9),
        ("ssx", "pyispyb_ssx_images_total", 1),
        ("ssx", 'pyispyb_ssx_batches_total{outcome="stored"}', 1),
        ("ssx", 'pyispyb_pool_connections_in_use{service="ssx",use="write"}', 0),
    ],
)
def test_figures_are_kept(
    clone: Clone, first_run: Run, service: str, figure: str, least: float
) -> None:
    del first_run
    assert Caller(clone.url, "alice").ask("/core/proposals").status_code == 200
    url = f"http://127.0.0.1:{clone.inside_port(service)}/metrics"
    lines = requests.get(url, timeout=10).text.splitlines()
    [value] = {float(line.split()[-1]) for line in lines if line.startswith(figure)}
    assert value >= least


def test_status_says_that_all_is_ready(clone: Clone, first_run: Run) -> None:
    del first_run
    said = clone.make("status")
    assert said.returncode == 0
    assert [line.split()[0] for line in said.stdout.splitlines()] == [
        "auth",
        "core",
        "ssx",
        "gateway",
    ]
    assert said.stdout.count("ready") == 4


def test_a_second_run_says_that_one_runs(clone: Clone, first_run: Run) -> None:
    said = clone.make("run")
    assert said.returncode != 0
    assert "already runs" in said.stderr
    assert first_run.process.poll() is None
    assert requests.get(f"{clone.url}/core/version", timeout=10).status_code == 200
