"""A site: the tree in a folder of its own, its .env, and what an operator does there."""

import contextlib
import json
import os
import re
import shutil
import signal
import subprocess
from pathlib import Path

import requests
from tests.compose.engine import Engine
from tests.compose.page import commands

ROOT = Path(__file__).parents[2]
URL, LOGS = "http://127.0.0.1:8000", "http://127.0.0.1:9428"


class Site:
    """The suite in containers, as the file of the tree describes it."""

    def __init__(self, folder: Path, engine: Engine) -> None:
        self.root = folder / "pyispyb"
        self.engine = engine
        self.url, self.logs = URL, LOGS
        listed = subprocess.run(
            ["git", "-c", "safe.directory=*", "ls-files", "-z", "-co", "--exclude-standard"],
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=True,
        )
        for name in listed.stdout.split("\0"):
            if name and (ROOT / name).is_file():
                (self.root / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(ROOT / name, self.root / name)

    def set(self, **variables: str) -> None:
        """Write lines of .env, as the page tells an operator to."""
        file = self.root / ".env"
        lines = file.read_text().splitlines() if file.exists() else []
        kept = [line for line in lines if line.partition("=")[0] not in variables]
        kept += [f"{name}={value}" for name, value in variables.items()]
        file.write_text("".join(f"{line}\n" for line in kept))

    def bash(self, script: str, *, seconds: float = 300) -> str:
        """Run commands as an operator pastes them; what they print. A failure fails the test."""
        return self._run(["bash", "-euo", "pipefail", "-c", script], seconds)

    def _run(self, command: list[str], seconds: float = 60) -> str:
        done = subprocess.run(
            command,
            cwd=self.root,
            env=self.engine.environment(),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=seconds,
            check=False,
        )
        said = f"{done.stdout[-3000:]}\n{done.stderr[-3000:]}"
        assert done.returncode == 0, f"{' '.join(command)}\n{said}"
        return done.stdout

    def containers(self, service: str) -> list[str]:
        """The ids of the running containers of a service."""
        return self.bash(f"docker compose ps --quiet {service}").split()

    def page(self, name: str, *, seconds: float = 300, **words: str) -> str:
        """Run the commands of docs/deploy.md that have this name, with these words for its own."""
        script = commands()[name]
        for word, other in words.items():
            assert word in script
            script = script.replace(word, other)
        return self.bash(script, seconds=seconds)

    def crash(self, container: str) -> None:
        """Kill the first process of a container, as nobody who is in it could."""
        asked = f"docker inspect --format '{{{{.State.Pid}}}}' {container}"
        wanted = self.bash(asked).strip()
        for status in Path("/proc").glob("[0-9]*/status"):
            with contextlib.suppress(FileNotFoundError, ProcessLookupError):
                pids = re.search(r"^NSpid:\t(.*)$", status.read_text(), re.MULTILINE)
                # Ours, the engine's, the container's; ours is the engine's where that is given.
                if pids and pids[1].split()[-2:] == [wanted, "1"]:
                    os.kill(int(status.parent.name), signal.SIGKILL)
                    return
        raise AssertionError(f"no process {wanted} of {container}")

    def address(self, container: str, network: str = "back") -> str:
        """The address of a container in a network of the file."""
        form = "{{json .NetworkSettings.Networks}}"
        found = json.loads(self.bash(f"docker inspect --format '{form}' {container}"))
        [one] = [each["IPAddress"] for name, each in found.items() if name.endswith(f"_{network}")]
        return str(one)

    def inside(self, service: str, code: str) -> str:
        """What a line of Python prints in a container of ours."""
        command = ["docker", "compose", "exec", "--no-TTY", service, "python", "-c", code]
        return self._run(command).strip()

    def sql(self, query: str) -> str:
        """What the database says, as its root; comments reach it."""
        client = 'MYSQL_PWD="$(cat /run/pyispyb/root_password)" exec mariadb --user=root "$@"'
        command = ["docker", "compose", "exec", "--no-TTY", "mariadb", "bash", "-c", client, "-"]
        options = ["--batch", "--skip-column-names", "--comments", "--execute", query]
        return self._run([*command, *options]).strip()

    def lines(self, **fields: str) -> list[dict[str, str]]:
        """The lines of the one log that have these fields; every value is a text."""
        query = " ".join(f'{name}:="{value}"' for name, value in fields.items())
        url = f"{self.logs}/select/logsql/query"
        answer = requests.post(url, data={"query": query}, timeout=30)
        assert answer.status_code == 200, answer.text
        return [json.loads(line) for line in answer.text.splitlines()]
