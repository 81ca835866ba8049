"""django-cas-server: a CAS server, and a person who logs in there. Run as a program it serves."""

import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Self
from urllib.parse import parse_qs, urlsplit

import pytest
import requests

ROOT = Path(__file__).parents[2]
READY_WITHIN_SECONDS = 30
LOGIN, PASSWORD = "alice", "cas-word"
MOST_STEPS = 4
FIELD = re.compile(r'<input[^>]*name="(\w+)"[^>]*?value="([^"]*)"')
APPS = ("auth", "contenttypes", "sessions", "messages", "staticfiles")


class Cas:
    """One CAS server whose only person is alice."""

    def __init__(self) -> None:
        from tests.peers.ports import free_port

        self.folder = Path(tempfile.mkdtemp(prefix="cas"))
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}/cas"
        environ = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT)}
        with (self.folder / "log").open("wb") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "tests.peers.cas", str(self.port), self.folder],
                env=environ,
                stdout=log,
                stderr=log,
            )
        deadline = time.monotonic() + READY_WITHIN_SECONDS
        while not self._listens():
            if time.monotonic() > deadline or self.process.poll() is not None:
                pytest.fail("no CAS server: " + (self.folder / "log").read_text())
            time.sleep(0.05)

    def _listens(self) -> bool:
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0

    def log_in(self, url: str) -> str:
        """The URL to which a browser is sent back after alice logged in."""
        with requests.Session() as browser:
            browser.trust_env = False
            answer = browser.get(url, allow_redirects=False)
            for _ in range(MOST_STEPS):
                onward = answer.headers.get("Location")
                if onward is not None and not onward.startswith((self.url, "/")):
                    return onward
                fields = re.findall(
                    r'<input[^>]*name="(\w+)"[^>]*?(?:value="([^"]*)")', answer.text
                )
                form = {**dict(fields), "username": LOGIN, "password": PASSWORD}
                answer = browser.post(url, data=form, allow_redirects=False)
        raise AssertionError(f"not sent back: {answer.text}")

    def ticket(self, service: str) -> str:
        """A ticket for alice at this service."""
        url = (
            requests.Request("GET", f"{self.url}/login", params={"service": service}).prepare().url
        )
        return parse_qs(urlsplit(self.log_in(str(url))).query)["ticket"][0]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.process.kill()
        self.process.wait()
        shutil.rmtree(self.folder, ignore_errors=True)


def serve(port: int, folder: Path) -> None:
    """Serve until killed."""
    import django
    from django.conf import settings

    processors = (
        "template.context_processors.request",
        "contrib.messages.context_processors.messages",
    )
    settings.configure(
        SECRET_KEY="of a test" * 8,
        ROOT_URLCONF="tests.peers.cas_urls",
        ALLOWED_HOSTS=["127.0.0.1"],
        USE_TZ=True,
        STATIC_URL="/static/",
        DEFAULT_AUTO_FIELD="django.db.models.AutoField",
        INSTALLED_APPS=[
            *[
                f"django.contrib.{app}"
                for app in ("auth", "contenttypes", "sessions", "messages", "staticfiles")
            ],
            "cas_server",
        ],
        MIDDLEWARE=[
            "django.contrib.sessions.middleware.SessionMiddleware",
            "django.middleware.locale.LocaleMiddleware",
            "django.middleware.common.CommonMiddleware",
            "django.contrib.auth.middleware.AuthenticationMiddleware",
            "django.contrib.messages.middleware.MessageMiddleware",
        ],
        TEMPLATES=[
            {
                "BACKEND": "django.template.backends.django.DjangoTemplates",
                "APP_DIRS": True,
                "OPTIONS": {"context_processors": [f"django.{one}" for one in processors]},
            }
        ],
        DATABASES={
            "default": {"ENGINE": "django.db.backends.sqlite3", "NAME": str(folder / "cas.sqlite")}
        },
        CAS_AUTH_CLASS="cas_server.auth.TestAuthUser",
        CAS_TEST_USER=LOGIN,
        CAS_TEST_PASSWORD=PASSWORD,
        CAS_TEST_ATTRIBUTES={
            "mail": "alice@example.org",
            "displayName": "Alice C",
            "memberOf": ["bl1", "elsewhere"],
        },
        CAS_LOGO_URL=None,
        CAS_FAVICON_URL=None,
        CAS_SHOW_POWERED=False,
    )
    django.setup()
    from wsgiref.simple_server import make_server

    from cas_server.models import ReplaceAttributName, ServicePattern
    from django.core.management import call_command
    from django.core.wsgi import get_wsgi_application

    call_command("migrate", verbosity=0)
    pattern = ServicePattern.objects.create(pos=1, name="ours", pattern=r"^http://127\.0\.0\.1:")
    ReplaceAttributName.objects.create(name="*", service_pattern=pattern)
    make_server("127.0.0.1", port, get_wsgi_application()).serve_forever()


if __name__ == "__main__":
    serve(int(sys.argv[1]), Path(sys.argv[2]))
