"""How ssx asks core what the maker of a link reaches: by a link of core, made by the maker."""

from datetime import UTC, datetime
from typing import Any

from pyispyb_chassis.errors import Unavailable
from pyispyb_chassis.principal import Principal
from pyispyb_chassis.sibling import Sibling
from pyispyb_ssx.operations.viewers import ACCESS

LINKS = "/core/user/links"


class CoreLinks:
    """Links of core to what their maker reaches, each for one link of ssx.

    ssx has no token of its own and keeps none of another's; core checks the rights at each use.
    """

    def __init__(self, core: Sibling) -> None:
        self._core = core

    def make(self, caller: Principal, expires: datetime | None) -> tuple[int, str]:
        """The id and the secret of a new one."""
        ends = {} if expires is None else {"expires": expires.replace(tzinfo=UTC).isoformat()}
        body = {"path": ACCESS, "kind": "feed", "title": "for a link of ssx", **ends}
        made: dict[str, Any] = self._core.ask("POST", LINKS, caller, body)
        try:
            return int(made["linkId"]), str(made["url"]).rpartition("/")[2]
        except (KeyError, TypeError, ValueError) as error:
            raise Unavailable("core answered in another form than ssx reads") from error

    def drop(self, caller: Principal, link_id: int) -> None:
        """Revoke one."""
        self._core.ask("DELETE", f"{LINKS}/{link_id}", caller)
