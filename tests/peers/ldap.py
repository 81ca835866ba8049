"""A private slapd with the demo cast, over LDAP, StartTLS and LDAPS; gone at the end."""

import base64
import datetime
import hashlib
import ipaddress
import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Self

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from ldap3 import MODIFY_REPLACE, NONE, Connection, Server
from ldap3.utils.dn import escape_rdn
from tests import secrets_watch
from tests.peers.pausing import pause, resume
from tests.peers.ports import free_port

NEEDED = "the tests need an LDAP server: apt-get install slapd"
READY_WITHIN_SECONDS = 10
BASE = "dc=test,dc=org"
SEARCHER, SEARCHER_PASSWORD = f"cn=searcher,{BASE}", "searcher-word"
PASSWORD = "ldap-word"
CONFIGURATION = """
include /etc/ldap/schema/core.schema
include /etc/ldap/schema/cosine.schema
include /etc/ldap/schema/inetorgperson.schema
modulepath /usr/lib/ldap
moduleload back_mdb
moduleload memberof
pidfile {folder}/pid
TLSCACertificateFile {folder}/ca.pem
TLSCertificateFile {folder}/ca.pem
TLSCertificateKeyFile {folder}/key.pem
sizelimit 500
database mdb
suffix "{base}"
rootdn "{searcher}"
rootpw {password}
directory {folder}/db
maxsize 10485760
overlay memberof
memberof-group-oc groupOfNames
access to attrs=userPassword by anonymous auth by * none
access to * by dn.exact="{searcher}" read by self read by * none
"""
TREE = """
dn: {base}
objectClass: dcObject
objectClass: organization
o: Test
dc: test

dn: ou=people,{base}
objectClass: organizationalUnit
ou: people

dn: ou=others,{base}
objectClass: organizationalUnit
ou: others
"""
PEOPLE = ("alice", "bob", "carol", "dave")
# Logins with every character that means something in a filter or in a DN.
ODD = ("(al*ce)", "a,b+c=d", "j\u00fcrgen", "#x")


class Ldap:
    """One slapd; everybody's password is PASSWORD."""

    def __init__(self) -> None:
        secrets_watch.note("password", PASSWORD)
        secrets_watch.note("password", SEARCHER_PASSWORD)
        self.folder = Path(tempfile.mkdtemp(prefix="ldap"))
        self.port, self.tls_port = free_port(), free_port()
        self.ca = self.folder / "ca.pem"
        _certify(self.folder)
        (self.folder / "db").mkdir()
        text = CONFIGURATION.format(
            folder=self.folder, base=BASE, searcher=SEARCHER, password=SEARCHER_PASSWORD
        )
        (self.folder / "slapd.conf").write_text(text)
        self._load(TREE.format(base=BASE))
        self.start()
        for login in (*PEOPLE, *ODD):
            self.add_person(login)
        for group in ("bl1 staff", "unknown here"):  # not loaded: memberOf comes with adding
            self.add(
                f"cn={group},{BASE}", objectClass="groupOfNames", cn=group, member=dn_of("carol")
            )

    @property
    def url(self) -> str:
        """Plain, or with StartTLS."""
        return f"ldap://127.0.0.1:{self.port}"

    @property
    def tls_url(self) -> str:
        """LDAPS."""
        return f"ldaps://127.0.0.1:{self.tls_port}"

    def start(self) -> None:
        """Start the server and wait until it listens."""
        command = [_found("slapd"), "-d", "0", "-f", self.folder / "slapd.conf"]
        urls = f"{self.url}/ {self.tls_url}/"
        with (self.folder / "log").open("ab") as log:
            self.process = subprocess.Popen([*command, "-h", urls], stdout=log, stderr=log)
        deadline = time.monotonic() + READY_WITHIN_SECONDS
        while not all(_listens(port) for port in (self.port, self.tls_port)):
            if time.monotonic() > deadline or self.process.poll() is not None:
                pytest.fail("slapd does not start: " + (self.folder / "log").read_text())
            time.sleep(0.02)

    def kill(self) -> None:
        """End it without a word."""
        self.process.kill()
        self.process.wait()

    def pause(self) -> None:
        """Leave it hanging: connections open, nothing answered."""
        pause(self.process)

    def resume(self) -> None:
        """Let it go on."""
        resume(self.process)

    def add(self, dn: str, **attributes: Any) -> None:
        """Add an entry."""
        with self._writing() as connection:
            assert connection.add(dn, attributes=attributes), connection.result

    def add_person(self, login: str, *, below: str = "people") -> None:
        """Add one whose password is PASSWORD."""
        self.add(
            dn_of(login, below=below),
            objectClass="inetOrgPerson",
            uid=login,
            cn=f"{login.title()} A",
            sn=login,
            mail=f"{login.encode('ascii', 'replace').decode()}@test.org",
            userPassword=_hashed(PASSWORD),
        )

    def delete(self, dn: str) -> None:
        """Delete an entry."""
        with self._writing() as connection:
            assert connection.delete(dn), connection.result

    def change(self, dn: str, **attributes: str) -> None:
        """Replace attributes of an entry."""
        changes = {name: [(MODIFY_REPLACE, [value])] for name, value in attributes.items()}
        with self._writing() as connection:
            assert connection.modify(dn, changes), connection.result

    @contextmanager
    def _writing(self) -> Iterator[Connection]:
        server = Server(self.url, get_info=NONE)
        connection = Connection(server, SEARCHER, SEARCHER_PASSWORD, auto_bind=True)
        try:
            yield connection
        finally:
            connection.unbind()

    def _load(self, ldif: str) -> None:
        words = [_found("slapadd"), "-f", str(self.folder / "slapd.conf")]
        subprocess.run(words, input=ldif, text=True, check=True, capture_output=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        resume(self.process)
        self.kill()
        secrets_watch.keep(self.folder / "log")
        shutil.rmtree(self.folder, ignore_errors=True)


def dn_of(login: str, *, below: str = "people") -> str:
    """The DN of a person."""
    return f"uid={escape_rdn(login)},ou={below},{BASE}"


def _hashed(password: str) -> str:
    """As OpenLDAP keeps it by default."""
    salt = os.urandom(8)
    digest = hashlib.sha1(password.encode() + salt, usedforsecurity=False).digest()
    return "{SSHA}" + base64.b64encode(digest + salt).decode()


def _certify(folder: Path) -> None:
    """A certificate for 127.0.0.1 that is its own authority, and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "test directory")])
    now = datetime.datetime.now(datetime.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(hours=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]),
            critical=False,
        )
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    (folder / "ca.pem").write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    (folder / "key.pem").write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def _found(name: str) -> str:
    where = shutil.which(name) or shutil.which(name, path="/usr/sbin:/usr/local/sbin")
    if where is None:
        pytest.fail(NEEDED, pytrace=False)
    return where
