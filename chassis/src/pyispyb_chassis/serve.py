"""Serving an app by gunicorn on its public and its inside address."""

import errno
import os
import shutil
import socket
import sys
from importlib import import_module
from pathlib import Path
from typing import Any

from flask import Flask
from gunicorn.app.base import BaseApplication

from pyispyb_chassis.configuration import Configuration, ServiceSection
from pyispyb_chassis.logs import JsonLines, configure_logs

# Longer than the gateway keeps an idle connection, so that it never meets one just closed.
KEEPALIVE_SECONDS = 75
LONGEST_REQUEST_LINE = 8190


class _Gunicorn(BaseApplication):  # type: ignore[misc]
    def __init__(self, app: Flask, options: dict[str, Any]) -> None:
        self._app = app
        self._options = options
        super().__init__()

    def load_config(self) -> None:
        for name, value in self._options.items():
            self.cfg.set(name, value)

    def load(self) -> Flask:
        return self._app


def serve(where: str, configuration: Configuration, settings: ServiceSection, name: str) -> None:
    """Serve the app that `where` ("package.module:create_app") makes, until told to stop.

    Imports it only now: the metrics choose their form, for one process or many, at import.
    """
    if "prometheus_client" in sys.modules:
        raise RuntimeError("serve() comes first: an app imported before it counts one process only")
    for address in (settings.listen, settings.inside_listen):
        _refuse_busy(address, name)
    figures = configuration.suite.state / "run" / "metrics" / name
    shutil.rmtree(figures, ignore_errors=True)
    figures.mkdir(parents=True)
    os.environ["PROMETHEUS_MULTIPROC_DIR"] = str(figures.resolve())

    # What is logged while the app is made is a line like every other.
    configure_logs(name, configuration.suite.log_level)
    answers = _wait_for_database(configuration, settings, name)
    module, _, function = where.partition(":")
    app: Flask = getattr(import_module(module), function)(configuration)
    wired = app.extensions.get("pyispyb")
    if answers and wired is not None and wired.service.tables is not None:
        fault = wired.service.tables()
        if fault is not None:
            sys.exit(f"{name}: ispyb.toml [{name}] database_url: its tables are {fault}")

    def forget_worker(_server: Any, worker: Any) -> None:
        from prometheus_client import multiprocess

        multiprocess.mark_process_dead(worker.pid)  # type: ignore[no-untyped-call]

    def start_worker(_server: Any, _worker: Any) -> None:
        if "pyispyb" in app.extensions:
            import_module("pyispyb_chassis.app").prepare_worker(app)

    server = configuration.suite.server
    options = {
        "bind": [settings.listen, settings.inside_listen],
        "workers": server.workers,
        "threads": server.threads,
        "worker_class": "gthread",
        "preload_app": True,
        "graceful_timeout": server.graceful_timeout,
        "timeout": 60,
        "keepalive": KEEPALIVE_SECONDS,
        "limit_request_line": LONGEST_REQUEST_LINE,
        # Nothing that a client or a proxy sends says where the app is mounted or how it is reached.
        "forwarder_headers": "",
        "forwarded_allow_ips": "",
        "control_socket_disable": True,
        "proc_name": f"pyispyb-{name}",
        "accesslog": None,
        "logconfig_dict": _log_settings(name, configuration.suite.log_level),
        "child_exit": forget_worker,
        "post_fork": start_worker,
    }
    if Path("/dev/shm").is_dir():  # noqa: S108
        options["worker_tmp_dir"] = "/dev/shm"  # noqa: S108
    _Gunicorn(app, options).run()


def _wait_for_database(configuration: Configuration, settings: ServiceSection, name: str) -> bool:
    """Whether the service's database answers; a service may have none."""
    url = getattr(settings, "database_url", None)
    if url is None:
        return False
    starting = import_module("pyispyb_chassis.starting")
    wait = configuration.suite.server.startup_wait
    return bool(starting.wait_for_database(url.get_secret_value(), name, wait))


def _refuse_busy(address: str, name: str) -> None:
    host, _, port = address.rpartition(":")
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, int(port)))
        except OSError as error:
            why = "is in use" if error.errno == errno.EADDRINUSE else str(error.strerror)
            sys.exit(f"{name}: {address} {why}")


def _log_settings(name: str, level: str) -> dict[str, Any]:
    """gunicorn's own lines and ours in one form, on stdout."""
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"json": {"()": JsonLines, "service": name}},
        "handlers": {
            "stdout": {
                "class": "logging.StreamHandler",
                "formatter": "json",
                "stream": "ext://sys.stdout",
            }
        },
        "root": {"level": level, "handlers": ["stdout"]},
        "loggers": {
            "gunicorn.error": {"level": level, "handlers": ["stdout"], "propagate": False},
            "gunicorn.access": {"level": "CRITICAL", "handlers": [], "propagate": False},
        },
    }
