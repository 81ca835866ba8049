"""Talking LDAP: a connection for each question, over verified TLS, to a server that answers."""

import socket
import ssl
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, TypeVar

from ldap3 import ANONYMOUS, BASE, NONE, SIMPLE, SUBTREE, SYNC, Connection, Server, Tls
from ldap3.core.exceptions import LDAPExceptionError
from ldap3.core.results import (
    RESULT_CONSTRAINT_VIOLATION,
    RESULT_INAPPROPRIATE_AUTHENTICATION,
    RESULT_INSUFFICIENT_ACCESS_RIGHTS,
    RESULT_INVALID_CREDENTIALS,
    RESULT_INVALID_DN_SYNTAX,
    RESULT_NO_SUCH_OBJECT,
    RESULT_SIZE_LIMIT_EXCEEDED,
    RESULT_SUCCESS,
    RESULT_UNWILLING_TO_PERFORM,
)
from ldap3.utils.dn import parse_dn

from pyispyb_auth.providers.reach import Reach, Unreachable

T = TypeVar("T")

MOST_FOUND = 100

# What a server says of a bind that it understood and does not grant.
REFUSALS = frozenset(
    {
        RESULT_CONSTRAINT_VIOLATION,
        RESULT_INAPPROPRIATE_AUTHENTICATION,
        RESULT_INSUFFICIENT_ACCESS_RIGHTS,
        RESULT_INVALID_CREDENTIALS,
        RESULT_INVALID_DN_SYNTAX,
        RESULT_NO_SUCH_OBJECT,
        RESULT_UNWILLING_TO_PERFORM,
    }
)


class Entry:
    """A person as the directory has them."""

    def __init__(self, response: Mapping[str, Any]) -> None:
        self.dn: str = response["dn"]
        found = response["attributes"].items()
        self._values = {name.lower(): value for name, value in found}

    def all(self, attribute: str) -> list[str]:
        """Every value of an attribute."""
        value = self._values.get(attribute.lower(), [])
        return [str(one) for one in (value if isinstance(value, list) else [value])]

    def one(self, attribute: str) -> str | None:
        """Its first value."""
        return next(iter(self.all(attribute)), None)


class Talk:
    """One connection to one server, until `deadline`."""

    def __init__(self, connection: Connection, deadline: float) -> None:
        self._connection = connection
        self._deadline = deadline

    def binds(self, dn: str | None, password: str | None) -> bool:
        """Whether the server lets them in. Raises Unreachable for everything but yes and no."""
        if dn is not None and not password:  # the server would take it for nobody, and say yes
            return False
        authentication = SIMPLE if dn is not None else ANONYMOUS
        self._connection.user = dn
        # As bytes it goes out as it was typed: what a profile of Unicode forbids is no fault.
        secret = password.encode() if password is not None else None
        with self._in_time():
            self._connection.rebind(
                password=secret, authentication=authentication, read_server_info=False
            )
            code = self._connection.result["result"]
        if code != RESULT_SUCCESS and code not in REFUSALS:
            raise Unreachable(f"bind: {self._connection.result['description']}")
        return bool(code == RESULT_SUCCESS)

    def read(self, dn: str, attributes: Sequence[str]) -> Entry | None:
        """One entry, where it may be seen. Raises Unreachable."""
        return next(iter(self._search(dn, "(objectClass=*)", BASE, attributes)), None)

    def search(self, base: str, what: str, attributes: Sequence[str]) -> list[Entry]:
        """What is found below `base`, of very many only some. Raises Unreachable."""
        return self._search(base, what, SUBTREE, attributes)

    def _search(self, base: str, what: str, scope: Any, attributes: Sequence[str]) -> list[Entry]:
        with self._in_time():
            self._connection.search(
                base, what, scope, attributes=list(attributes), size_limit=MOST_FOUND
            )
            result = self._connection.result
            found = self._connection.response or []
            entries = [Entry(one) for one in found if one["type"] == "searchResEntry"]
        if result["result"] not in {
            RESULT_SUCCESS, RESULT_NO_SUCH_OBJECT, RESULT_SIZE_LIMIT_EXCEEDED,
        }:  # fmt: skip
            raise Unreachable(f"search below {base}: {result['description']}")
        return entries

    def start_tls(self) -> None:
        """Go on under TLS. Raises Unreachable where the server does not."""
        with self._in_time():
            self._connection.start_tls(read_server_info=False)
        if not self._connection.tls_started:
            raise Unreachable("StartTLS did not begin")

    @contextmanager
    def _in_time(self) -> Iterator[None]:
        left = self._deadline - time.monotonic()
        if left <= 0:
            raise Unreachable("no time left")
        self._connection.socket.settimeout(left)
        try:
            yield
        except Exception as error:  # an answer that is no LDAP raises whatever its decoding meets
            raise Unreachable(f"{type(error).__name__}: {error}") from error


class _VerifiedTls(Tls):
    """TLS as the standard library does it: the chain, the name or address, and SNI."""

    def __init__(self, context: ssl.SSLContext) -> None:
        super().__init__(validate=ssl.CERT_REQUIRED)
        self._context = context

    def wrap_socket(self, connection: Connection, do_handshake: bool = False) -> None:  # noqa: ARG002, FBT001, FBT002
        """Put TLS over the connection's socket, or raise."""
        name = connection.server.host
        connection.socket = self._context.wrap_socket(connection.socket, server_hostname=name)


class Directory:
    """The servers of one directory: the same people on each."""

    def __init__(
        self, servers: Sequence[str], reach: Reach, *, cafile: str | None, starttls: bool
    ) -> None:
        # The one that answered last is asked first.
        self._servers = list(servers)
        self._reach = reach
        self._starttls = starttls
        self._tls = _VerifiedTls(ssl.create_default_context(cafile=cafile))

    def ask(self, question: Callable[[Talk], T]) -> T:
        """What the first server that answers says. Raises Unavailable."""
        return self._reach.ask(lambda: self._in_turn(question))

    def _in_turn(self, question: Callable[[Talk], T]) -> T:
        faults: list[str] = []
        servers = list(self._servers)
        end = time.monotonic() + self._reach.seconds
        for tried, url in enumerate(servers):
            # One that hangs leaves time for the others.
            share = max((end - time.monotonic()) / (len(servers) - tried), 0.01)
            try:
                with self._connected(url, share) as talk:
                    answer = question(talk)
            except (LDAPExceptionError, OSError, Unreachable) as error:
                faults.append(f"{url}: {error}")
            else:
                self._servers = [url, *[one for one in servers if one != url]]
                return answer
        raise Unreachable("; ".join(faults))

    @contextmanager
    def _connected(self, url: str, seconds: float) -> Iterator[Talk]:
        deadline = time.monotonic() + seconds
        server = Server(url, tls=self._tls, get_info=NONE, connect_timeout=seconds)
        # Referrals are not followed: they would lead the password to any server that is named.
        connection = Connection(
            server,
            client_strategy=SYNC,
            auto_referrals=False,
            check_names=False,
            receive_timeout=max(1, int(seconds)),  # whole ones only; `_in_time` is exact
        )
        talk = Talk(connection, deadline)
        try:
            connection.open(read_server_info=False)
            # Small questions go out at once: under TLS each would wait 40 ms for the one before.
            connection.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if self._starttls and not server.ssl:
                talk.start_tls()
            yield talk
        finally:
            # Where TLS failed the library leaves its socket open.
            if (left := connection.socket) is not None:
                left.close()


def escaped(value: str) -> str:
    """A value for a filter or a DN: what is not plain goes as \\XX, which means itself in both."""
    return "".join(
        one
        if one.isascii() and one.isalnum()
        else "".join(f"\\{byte:02x}" for byte in one.encode())
        for one in value
    )


def normal(dn: str) -> tuple[tuple[str, str], ...]:
    """A DN in the one form in which it is compared. Raises ValueError for what is none."""
    try:
        parts = parse_dn(dn, strip=True)
    except LDAPExceptionError as error:
        raise ValueError(f"not a DN: {dn}") from error
    return tuple((name.strip().casefold(), value.strip().casefold()) for name, value, _ in parts)
