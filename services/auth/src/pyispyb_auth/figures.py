"""What Prometheus reads of auth besides what it reads of every service."""

import logging

from prometheus_client import Counter

AUDITED = Counter(
    "pyispyb_audit_events_total", "Lines of the audit: logins, refusals, revocations", ["event"]
)


class _Counting(logging.Handler):
    def emit(self, record: logging.LogRecord) -> None:
        AUDITED.labels(record.getMessage()).inc()


# One for the process: a logger takes the same handler once.
AUDIT = _Counting()
