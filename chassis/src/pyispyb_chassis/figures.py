"""What Prometheus reads of a service; imported by what serves only, as its form is chosen then."""

from typing import Any

from prometheus_client import Counter, Gauge, Histogram
from sqlalchemy import event
from sqlalchemy.engine import Engine, ExceptionContext

from pyispyb_chassis.database import Database

REQUESTS = Counter(
    "pyispyb_requests_total", "Requests answered", ["service", "method", "route", "status_class"]
)
DURATION = Histogram(
    "pyispyb_request_seconds",
    "Time to answer",
    ["service", "method", "route"],
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5),
)
REFUSED = Counter("pyispyb_tokens_refused_total", "Answers 401", ["service"])
POOL_MOST = Gauge(
    "pyispyb_pool_connections_most",
    "Connections to the database that the pools of all workers may open",
    ["service", "use"],
    multiprocess_mode="livesum",
)
POOL_IN_USE = Gauge(
    "pyispyb_pool_connections_in_use",
    "Connections to the database that serve a request just now",
    ["service", "use"],
    multiprocess_mode="livesum",
)
LOST = Counter(
    "pyispyb_database_connections_lost_total",
    "Statements that ended because the database was gone or did not answer",
    ["service"],
)
REVOCATIONS_READ = Gauge(
    "pyispyb_revocations_read_timestamp_seconds",
    "When the worker that waits longest has last read an issuer's list of revocations",
    ["service", "issuer"],
    multiprocess_mode="livemin",
)


def watch_pools(service: str, database: Database) -> None:
    """Count the connections of a database as they are taken and given back, and those lost."""
    for use, engine in (("read", database.read_engine), ("write", database.write_engine)):
        _watch_pool(engine, POOL_IN_USE.labels(service, use))
        event.listen(engine, "handle_error", _counting_losses(service))


def tell_most(service: str, database: Database) -> None:
    """Say how many connections this worker may open; a pool belongs to the process that uses it."""
    POOL_MOST.labels(service, "read").set(database.most_connections)
    POOL_MOST.labels(service, "write").set(database.most_connections)


def _watch_pool(engine: Engine, in_use: Gauge) -> None:
    def take(*_: Any) -> None:
        in_use.inc()

    def give_back(*_: Any) -> None:
        in_use.dec()

    event.listen(engine, "checkout", take)
    event.listen(engine, "checkin", give_back)


def _counting_losses(service: str) -> Any:
    def count(context: ExceptionContext) -> None:
        if context.is_disconnect:
            LOST.labels(service).inc()

    return count
