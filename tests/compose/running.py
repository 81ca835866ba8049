"""A site: the tree in a folder of its own, its .env, and what an operator does there."""

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import requests
from tests.compose.engine import Engine

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
        done = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", script],
            cwd=self.root,
            env=self.engine.environment(),
            capture_output=True,
            text=True,
            timeout=seconds,
            check=False,
        )
        assert done.returncode == 0, f"{script}\n{done.stdout[-3000:]}\n{done.stderr[-3000:]}"
        return done.stdout

    def containers(self, service: str) -> list[str]:
        """The ids of the running containers of a service."""
        return self.bash(f"docker compose ps --quiet {service}").split()

    def inside(self, service: str, code: str) -> str:
        """What a line of Python prints in a container of ours."""
        (one, *_) = self.containers(service)
        command = ["docker", "exec", one, "python", "-c", code]
        done = subprocess.run(
            command, env=self.engine.environment(), capture_output=True, text=True, check=True
        )
        return done.stdout.strip()

    def sql(self, query: str, *options: str) -> str:
        """What the database says, as its root."""
        client = 'MYSQL_PWD="$(cat /run/pyispyb/root_password)" exec mariadb --batch "$@"'
        command = ["docker", "compose", "exec", "--no-TTY", "mariadb", "bash", "-c", client, "-"]
        done = subprocess.run(
            [*command, "--skip-column-names", *options, "--execute", query],
            cwd=self.root,
            env=self.engine.environment(),
            capture_output=True,
            text=True,
            check=True,
        )
        return done.stdout.strip()

    def lines(self, **fields: object) -> list[dict[str, Any]]:
        """The lines of the one log that have these fields."""
        answer = requests.get(f"{self.logs}/lines", timeout=10)
        lines = [json.loads(line) for line in answer.text.splitlines()]
        return [line for line in lines if fields.items() <= line.items()]
