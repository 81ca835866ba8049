"""One engine and one site for the whole drill."""

import os
import shutil
from collections.abc import Iterator
from datetime import datetime

import pytest
from tests.compose.containers import Say, archives, import_images, wheelhouse
from tests.compose.engine import CannotRun, Engine, engine_given, engine_of_our_own
from tests.compose.running import Site

DEFAULT_HOST = "unix:///var/run/docker.sock"
STAND_INS = "docker-compose.yml:tests/compose/stand-ins.yml"


@pytest.fixture(scope="session")
def say(request: pytest.FixtureRequest) -> Say:
    """Tell whoever watches what is being done: a cold run takes minutes."""
    plugins = request.config.pluginmanager
    reporter, capture = plugins.getplugin("terminalreporter"), plugins.getplugin("capturemanager")

    def write(text: str) -> None:
        with capture.global_and_fixture_disabled():
            reporter.ensure_newline()
            reporter.write_line(f"  {datetime.now().astimezone():%H:%M:%S}  {text}")
            reporter.flush()

    return write


@pytest.fixture(autouse=True)
def _says_which_step(request: pytest.FixtureRequest, say: Say) -> None:
    say(request.node.name.removeprefix("test_").replace("_", " "))


@pytest.fixture(scope="session")
def engine(say: Say) -> Iterator[Engine]:
    """The engine of this machine where Kong's image is named, else one of our own."""
    try:
        if os.environ.get("KONG_IMAGE"):
            with engine_given(os.environ.get("DOCKER_HOST", DEFAULT_HOST)) as engine:
                yield engine
            return
        # Both need the network that the engine then has no more.
        files, _ = archives(say), wheelhouse(say)
        with engine_of_our_own() as engine:
            import_images(files, engine.environment(), say)
            yield engine
    except CannotRun as error:
        pytest.exit(f"the drill {error}", returncode=1)


@pytest.fixture(scope="session")
def site(engine: Engine, tmp_path_factory: pytest.TempPathFactory, say: Say) -> Iterator[Site]:
    """The tree and its .env; at the end nothing of it runs any more."""
    site = Site(tmp_path_factory.mktemp("site"), engine)
    site.set(DOCKER_CONTAINERS=str(engine.containers))
    if engine.private:
        site.set(COMPOSE_FILE=STAND_INS, PIP_NO_INDEX="1")
        shutil.copytree(wheelhouse(say), site.root / "wheelhouse")
    else:
        site.set(COMPOSE_PROJECT_NAME="pyispyb-drill", KONG_IMAGE=os.environ["KONG_IMAGE"])
    try:
        yield site
    finally:
        say("takes everything down")
        site.bash("docker compose down --volumes --remove-orphans --timeout 5")
