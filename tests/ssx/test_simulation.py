"""The simulator loses nothing at a gateway that fails; the demo run is made once and looks real."""

import threading
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import orjson
import pytest
from tests.cast import ALICE, BOB, CAROL, Issuing
from tests.ssx.conftest import Ssx, make_ssx
from tests.ssx.core_stand_in import PAST_BL2, RUNNING_BL1, Served, StartResponse

from pyispyb_ssx.cli import main
from pyispyb_ssx.demo import Place, make_demo
from pyispyb_ssx.simulation.beamline import Beamline, CannotRecord
from pyispyb_ssx.simulation.crystals import see_images

Wsgi = Callable[[dict[str, Any], StartResponse], Iterable[bytes]]


class Gateway:
    """One address for a login, a core and an ssx; every third answer of ssx is lost on its way."""

    def __init__(self, ssx: Ssx) -> None:
        self._ssx = ssx
        self._app: Wsgi = ssx.client.application.wsgi_app
        self._lock = threading.Lock()
        self.passed = 0
        self.logins = 0

    def __call__(self, environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
        """The WSGI call."""
        path = environ["PATH_INFO"]
        if path == "/auth/login":
            return self._log_in(environ, start_response)
        if path.startswith("/core/"):
            return self._ssx.core.answer(environ, start_response)
        with self._lock:
            self.passed += 1
            lost = self.passed % 3 == 0
        if not lost:
            return self._app(environ, start_response)
        b"".join(self._app(environ, lambda *_: None))
        start_response("503 Service Unavailable", [("Retry-After", "0")])
        return [b'{"message": "lost"}']

    def _log_in(self, environ: dict[str, Any], start_response: StartResponse) -> list[bytes]:
        said = orjson.loads(environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"])))
        if said["password"] != f"{said['login']}-demo":
            start_response("401 Unauthorized", [("Content-Type", "application/json")])
            return [b"{}"]
        self.logins += 1
        # The first token is old already, as it would be in a long run.
        token = self._ssx.issuing.token(said["login"], **({"exp": 1} if self.logins == 1 else {}))
        start_response("200 OK", [("Content-Type", "application/json")])
        return [orjson.dumps({"token": token})]


@pytest.fixture
def usual(tmp_path: Path, issuing: Issuing) -> Iterator[Ssx]:
    """An ssx with the times that ispyb.toml has, where batches of a thousand are taken."""
    url = f"sqlite:///{tmp_path / 'ssx.sqlite'}"
    made = make_ssx(url, tmp_path, issuing, "access_cache_seconds = 15")
    yield made
    made.close()


@pytest.fixture
def gateway(usual: Ssx) -> Iterator[Served]:
    """A gateway before it."""
    served = Served(Gateway(usual))
    served.start()
    yield served
    served.stop()


def run_command(monkeypatch: pytest.MonkeyPatch, folder: Path, *arguments: str) -> None:
    """Run `pyispyb-ssx` with the configuration of this folder."""
    monkeypatch.setenv("ISPYB_CONFIG", str(folder / "ispyb.toml"))
    monkeypatch.setattr("sys.argv", ["pyispyb-ssx", *arguments])
    main()


def test_a_simulated_run_is_whole_though_answers_are_lost(
    usual: Ssx, gateway: Served, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    password = tmp_path / "password"
    password.write_text("alice-demo\n", encoding="utf-8")
    run_command(
        monkeypatch, tmp_path, "simulate", "--url", gateway.url, "--login", "alice",
        "--password-file", str(password), "--session", str(RUNNING_BL1),
        "--images", "1050", "--batch", "100", "--rate", "1000",
    )  # fmt: skip
    said = capsys.readouterr()
    assert "1050 images" in said.out
    assert "100%" in said.err  # the progress bar
    (run,) = usual.get(ALICE, "/runs")["results"]
    assert (run["state"], run["sessionId"], run["numberOfImages"]) == ("closed", RUNNING_BL1, 1050)
    summary = usual.get(ALICE, f"/runs/{run['runId']}/summary")
    assert (summary["batches"], summary["images"]) == (11, 1050)


def test_without_a_session_one_is_found(gateway: Served) -> None:
    assert Beamline(gateway.url, "carol", "carol-demo").find_session() == RUNNING_BL1
    with pytest.raises(CannotRecord, match="sees no session"):
        Beamline(gateway.url, "oscar", "oscar-demo").find_session()


@pytest.mark.parametrize(
    ("login", "password", "session_id", "reason"),
    [
        ("alice", "wrong", RUNNING_BL1, "does not accept"),
        ("oscar", "oscar-demo", RUNNING_BL1, "404 no such session"),
    ],
)
def test_what_cannot_be_recorded_is_said(
    gateway: Served, login: str, password: str, session_id: int, reason: str
) -> None:
    with pytest.raises(CannotRecord, match=reason):
        Beamline(gateway.url, login, password).record(session_id, 10, batch=5, rate=None, seed=0)


def test_images_look_like_an_experiment() -> None:
    seen = see_images(1, 20_000)
    assert seen == see_images(1, 20_000)
    assert seen != see_images(1, 20_000, seed=1)
    hit, indexed = np.array(seen["hit"]), np.array(seen["indexed"])
    spots = np.array(seen["nSpots"])
    counts = np.array([len(lattices) for lattices in seen["lattices"]])
    cells = np.array([one["cell"] for lattices in seen["lattices"] for one in lattices])
    assert 0.2 < hit.mean() < 0.5
    assert 0.5 < indexed.sum() / hit.sum() < 0.9
    assert spots[hit].mean() > 5 * spots[~hit].mean()
    assert ((counts > 0) == indexed).all()
    assert 0.03 < (counts > 1).sum() / indexed.sum() < 0.2
    assert counts.max() == 3
    assert np.allclose(cells.mean(axis=0), [79, 79, 38, 90, 90, 90], atol=0.05)
    assert (cells.std(axis=0) > 0.05).all()


def test_the_demo_run_is_made_once(ssx: Ssx) -> None:
    place = Place(1, PAST_BL2, "BL2")
    run_id, made = make_demo(ssx.database, place, 2_500)
    assert made
    assert make_demo(ssx.database, place, 2_500) == (run_id, False)
    summary = ssx.get(ALICE, f"/runs/{run_id}/summary")
    assert (summary["state"], summary["images"], summary["batches"]) == ("closed", 2_500, 3)
    (cell,) = summary["cells"]
    assert cell["spaceGroup"] == "P43212"
    assert cell["mean"][:3] == pytest.approx([79, 79, 38], abs=0.1)
    assert ssx.get(BOB, f"/runs/{run_id}")["login"] == "mxcube"
    assert ssx.call(CAROL, "GET", f"/runs/{run_id}").status_code == 404


def test_a_demo_that_was_cut_short_is_finished(ssx: Ssx) -> None:
    place = Place(1, RUNNING_BL1, "BL1")
    run_id, _ = make_demo(ssx.database, place, 1_000)
    # As if it had ended after its first batch: the run is open, the rest not there.
    with ssx.database.writing() as connection:
        connection.exec_driver_sql("UPDATE Run SET state = 'open', endTime = NULL")
    assert make_demo(ssx.database, place, 2_000) == (run_id, True)
    summary = ssx.get(ALICE, f"/runs/{run_id}/summary")
    assert (summary["state"], summary["images"]) == ("closed", 2_000)


@pytest.mark.usefixtures("usual")
@pytest.mark.parametrize(
    ("arguments", "variables", "reason"),
    [
        (["simulate", "--images", "0"], {}, "2"),
        (["simulate", "--password-env", "NOT_THERE"], {}, "NOT_THERE is not set"),
        (["simulate", "--password-file", "not-there"], {}, "not-there cannot be read"),
        (["simulate"], {}, "--password-file or --password-env"),
        (
            ["database", "upgrade"],
            {"ISPYB_SSX__DATABASE_URL": "mariadb+pymysql://nobody@127.0.0.1:22999/none"},
            "the database of ssx: .*refused",
        ),
        (["demo"], {"ISPYB_SSX__DATABASE_URL": "oracle://x"}, "allowed: sqlite"),
    ],
)
def test_what_a_command_cannot_do_is_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    arguments: list[str], variables: dict[str, str], reason: str,
) -> None:  # fmt: skip
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(SystemExit, match=reason) as left:
        run_command(monkeypatch, tmp_path, *arguments)
    assert "\n" not in str(left.value)


def test_production_refuses_the_demo(
    usual: Ssx, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ISPYB_ENVIRONMENT", "production")
    with pytest.raises(SystemExit, match="local"):
        run_command(monkeypatch, tmp_path, "demo")
    assert usual.get(ALICE, "/runs")["total"] == 0
