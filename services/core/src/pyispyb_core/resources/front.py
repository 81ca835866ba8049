"""The front page of the gateway: one static page that leads to the three API pages."""

from importlib.resources import files

from flask import Flask, Response

from pyispyb_chassis.access import public


def add_front_page(app: Flask) -> None:
    """Serve the page at `/`, which the gateway sends to core."""
    page = files("pyispyb_core.resources").joinpath("front.html").read_bytes()

    @public
    def front() -> Response:
        return Response(page, mimetype="text/html", headers={"Cache-Control": "max-age=300"})

    app.add_url_rule("/", "front", front, methods=["GET"])
