"""A core that answers what ssx asks of the demo cast, over real HTTP, and can be taken away."""

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable
from typing import Any

import jwt
import orjson
from tests.peers.ports import free_port
from werkzeug.serving import BaseWSGIServer, WSGIRequestHandler, make_server

MX1001, MX1002, IN2001 = 1, 2, 3
PAST_BL2, RUNNING_BL1, OTHERS_BL2, CLOSED_BL1 = 11, 12, 21, 31
SESSIONS = {
    PAST_BL2: {"sessionId": PAST_BL2, "proposalId": MX1001, "beamLineName": "BL2"},
    RUNNING_BL1: {"sessionId": RUNNING_BL1, "proposalId": MX1001, "beamLineName": "BL1"},
    OTHERS_BL2: {"sessionId": OTHERS_BL2, "proposalId": MX1002, "beamLineName": "BL2"},
    CLOSED_BL1: {"sessionId": CLOSED_BL1, "proposalId": IN2001, "beamLineName": "BL1"},
}
MEMBER = ("proposals:read", "runs:read", "runs:write", "sessions:read")
NOTHING: dict[str, Any] = {
    "permissions": MEMBER,
    "all": False,
    "proposals": [],
    "sessions": [],
    "beamLines": [],
    "exceptProposals": [],
    "staffProposals": [],
}
STAFF = {"beamLines": ["BL1"], "exceptProposals": [IN2001], "staffProposals": [MX1001]}
ACCESS: dict[str, dict[str, Any]] = {
    "alice": {**NOTHING, "proposals": [MX1001]},
    "bob": {**NOTHING, "proposals": [MX1002], "sessions": [PAST_BL2]},
    "carol": {**NOTHING, **STAFF},
    "dave": NOTHING,
    "erin": {
        **NOTHING,
        "all": True,
        "permissions": (*MEMBER, "everything:read-all", "everything:write-all"),
    },
    "oscar": NOTHING,
    "mxcube": {**NOTHING, **STAFF},
}
StartResponse = Callable[..., Any]


class _Quiet(WSGIRequestHandler):
    """Says nothing of each request."""

    def log(self, *_: Any) -> None:
        """Keep the tests' output clean."""


class Served:
    """A WSGI app on a port of its own, which it keeps when it is stopped and started again."""

    def __init__(self, app: Any) -> None:
        self._app = app
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self._server: BaseWSGIServer | None = None

    def start(self) -> None:
        """Answer from now on."""
        server = make_server(
            "127.0.0.1", self.port, self._app, threaded=True, request_handler=_Quiet
        )
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}).start()
        self._server = server

    def stop(self) -> None:
        """Refuse connections from now on."""
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()
            self._server = None


class CoreStandIn(Served):
    """GET /core/user/access and /core/sessions/<id>; `said` may be changed by a test."""

    def __init__(self) -> None:
        super().__init__(self.answer)
        self.said = {login: dict(access) for login, access in ACCESS.items()}
        self.asked: Counter[str] = Counter()
        self.hangs_for = 0.0

    def answer(self, environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
        """The WSGI call; whose token it is core's own matter, and not tested here."""
        path = environ["PATH_INFO"]
        time.sleep(self.hangs_for)
        self.asked[path] += 1
        token = environ["HTTP_AUTHORIZATION"].removeprefix("Bearer ")
        login = jwt.decode(token, options={"verify_signature": False})["sub"]
        found: dict[str, Any] | None = None
        if path == "/core/user/access":
            found = {"login": login, "personId": 1, **self.said[login]}
        elif path.startswith("/core/sessions/"):
            found = self._session(login, int(path.rpartition("/")[2]))
        elif path == "/core/sessions":
            seen = [self._session(login, each) for each in SESSIONS]
            found = {"results": [session for session in seen if session]}
        body = orjson.dumps(found if found is not None else {"status": 404})
        status = "404 Not Found" if found is None else "200 OK"
        start_response(status, [("Content-Type", "application/json")])
        return [body]

    def _session(self, login: str, session_id: int) -> dict[str, Any] | None:
        session, access = SESSIONS.get(session_id), self.said[login]
        if session is None:
            return None
        staff = (
            session["beamLineName"] in access["beamLines"]
            and session["proposalId"] not in access["exceptProposals"]
        )
        reached = session["proposalId"] in access["proposals"] or session_id in access["sessions"]
        return session if access["all"] or staff or reached else None
