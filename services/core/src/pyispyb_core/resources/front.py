"""The front page of the gateway: one static page with the three API pages and a login."""

from importlib.resources import files

from flask import Flask, Response

from pyispyb_chassis.access import public

# Whoever gets a script onto this page gets the tokens: it runs its own, and is framed by nobody.
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)


def add_front_page(app: Flask, prefix: str) -> None:
    """Serve the page at `/`, which the gateway sends to core, and its style beside the API page."""
    room = files("pyispyb_core.resources")
    page = room.joinpath("front.html").read_bytes()
    style = room.joinpath("front.css").read_bytes()
    kept = {"Cache-Control": "max-age=300"}

    @public
    def front() -> Response:
        headers = {**kept, "Content-Security-Policy": POLICY, "Referrer-Policy": "no-referrer"}
        return Response(page, mimetype="text/html", headers=headers)

    @public
    def front_style() -> Response:
        return Response(style, mimetype="text/css", headers=kept)

    app.add_url_rule("/", "front", front, methods=["GET"])
    app.add_url_rule(f"{prefix}/docs/front.css", "front_style", front_style, methods=["GET"])
