"""Bodies that are sent in pieces: logged at their end, broken off by a fault, never cut short."""

import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from threading import BoundedSemaphore

from flask import Flask, Response, current_app, g, request, stream_with_context

from pyispyb_chassis.errors import NotAcceptable, Unavailable

log = logging.getLogger(__name__)

JSON, NDJSON, CSV = "application/json", "application/x-ndjson", "text/csv"
FORMS = (JSON, NDJSON, CSV)
RETRY_AFTER_SECONDS = 10
_SLOTS = "pyispyb_streams"


@dataclass(slots=True)
class Sent:
    """How far a body has come."""

    bytes: int = 0
    rows: int = 0
    complete: bool = False


def limit_streams(app: Flask, threads: int) -> None:
    """Let streams hold half of a worker's threads at most: the other requests go on."""
    app.extensions[_SLOTS] = BoundedSemaphore(max(1, threads // 2))


def wanted_form(offers: Sequence[str] = FORMS) -> str:
    """Which of these forms the request's Accept header prefers; the first where it does not say.

    Raises NotAcceptable that names them.
    """
    accepted = request.accept_mimetypes
    if not accepted:
        return offers[0]
    qualities = {offer: accepted.quality(offer) for offer in offers}
    best = max(offers, key=lambda offer: qualities[offer])  # the first of equals
    if qualities[best] <= 0:
        raise NotAcceptable(f"this answers as {', '.join(offers)}")
    return best


def streamed(
    pieces: Iterator[tuple[bytes, int]], kind: str, headers: Mapping[str, str] | None = None
) -> Response:
    """An answer in pieces, each with the number of its rows.

    The first is made before anything is sent, so that its fault is an answer of its own. A later
    fault ends the connection without the last chunk: no client takes what came for the whole.
    """
    slots: BoundedSemaphore = current_app.extensions[_SLOTS]
    if not slots.acquire(blocking=False):
        told = "as many exports run as this server carries"
        raise Unavailable(told, retry_after=RETRY_AFTER_SECONDS)
    try:
        first = next(pieces, (b"", 0))
    except BaseException:
        slots.release()
        raise
    sent = Sent()

    def body() -> Iterator[bytes]:
        try:
            for data, rows in chain([first], pieces):
                yield data
                sent.bytes += len(data)
                sent.rows += rows
            sent.complete = True
        except Exception as error:
            log.warning("stream broken off", extra={"fault": str(error), "rows": sent.rows})
            raise

    g.sent = sent
    response = Response(stream_with_context(body()), content_type=kind, headers=dict(headers or {}))
    response.call_on_close(slots.release)
    return response
