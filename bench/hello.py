"""The yardstick: one Flask route that says hello, under the suite's own gunicorn settings."""

import argparse

from flask import Flask

from pyispyb_chassis.configuration import Configuration, ServiceSection, loaded_or_exit
from pyispyb_chassis.serve import serve


def create_app(_configuration: Configuration) -> Flask:
    """An app that does nothing else; its path is one that the gateway guards with a token."""
    app = Flask("hello", static_folder=None)

    @app.get("/ssx/health/live")  # the gateway asks before it sends anybody
    @app.get("/ssx/hello")
    def hello() -> str:
        return "hello, world"

    return app


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("listen")
    parser.add_argument("inside_listen")
    options = parser.parse_args()
    section = ServiceSection(
        listen=options.listen, inside_listen=options.inside_listen, prefix="/ssx"
    )
    serve("bench.hello:create_app", loaded_or_exit(), section, "hello")
