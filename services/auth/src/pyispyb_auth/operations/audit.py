"""The audit: one line, in one form, for all that changes or tries to change who is logged in."""

import logging
from typing import Any

from pyispyb_chassis.ids import client_address

log = logging.getLogger("pyispyb.audit")


def audit(
    event: str,
    *,
    login: str | None = None,
    sid: str | None = None,
    provider: str | None = None,
    refused: bool = False,
    **more: Any,
) -> None:
    """Write one line; `login` is whose login or account it is about, `refused` makes it a warning.

    Never give it a password or a token: a reason is a word, not what was sent.
    """
    where = client_address() or None
    told = {"event": event, "login": login, "sid": sid, "provider": provider, "address": where}
    log.log(logging.WARNING if refused else logging.INFO, event, extra={**more, **told})
