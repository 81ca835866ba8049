"""Accounts in a site's directory: searched for, then bound as, over TLS."""

import hashlib
import secrets
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal
from urllib.parse import urlsplit

from ldap3.core.exceptions import LDAPExceptionError
from ldap3.operation.search import parse_filter
from pydantic import AfterValidator, Field, SecretStr
from pydantic import model_validator as validates

from pyispyb_auth.providers.directory import Directory, Entry, Talk, escaped, normal
from pyispyb_auth.providers.provider import DistantSettings, Identity, Provider
from pyispyb_auth.providers.reach import Reach, Unreachable

LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})


def _is_ldap_url(value: str) -> str:
    parts = urlsplit(value)
    if parts.scheme not in {"ldap", "ldaps"} or not parts.hostname or parts.path.strip("/"):
        raise ValueError("not ldap://host[:port] or ldaps://host[:port]")
    return value


def _is_a_filter(value: str) -> str:
    try:
        parse_filter(  # type: ignore[no-untyped-call]
            value, None, auto_escape=False, auto_encode=None, validator=None, check_names=False
        )
    except LDAPExceptionError as error:
        raise ValueError(f"not a filter: {error}") from error
    return value


def _is_a_dn(value: str) -> str:
    normal(value)
    return value


def _holds_a_login(value: str) -> str:
    try:
        value.format(login="x")
    except (KeyError, IndexError, ValueError) as error:
        raise ValueError("braces are for {login} only") from error
    if "{login}" not in value:
        raise ValueError("it has to name {login}")
    return value


LdapUrl = Annotated[str, AfterValidator(_is_ldap_url)]
Filter = Annotated[str, AfterValidator(_is_a_filter)]
Dn = Annotated[str, AfterValidator(_is_a_dn)]
Template = Annotated[str, AfterValidator(_holds_a_login)]


class LdapSettings(DistantSettings):
    """[auth.providers.<name>] with kind = "ldap"."""

    kind: Literal["ldap"]
    servers: tuple[LdapUrl, ...] = Field(min_length=1, description="tried in turn")
    starttls: bool = Field(default=True, description="over ldap://; false for loopback only")
    ca_certificates: Path | None = Field(None, description="PEM; by default the system's")
    bind_dn: str | None = Field(None, description="who searches; by default nobody")
    bind_password: SecretStr | None = None
    search_base: str | None = Field(None, description="people are searched for below it")
    user_filter: Filter = Field("(objectClass=*)", description="who of them counts")
    dn_template: Template | None = Field(None, description="people's DN, instead of a search")
    login_attribute: str = Field("uid", description="the login as it goes into the token")
    found_by: tuple[str, ...] = Field((), description="what people may log in with besides: mail")
    name_attribute: str = "cn"
    email_attribute: str = "mail"
    group_attribute: str = Field("memberOf", description="a person's groups, on their own entry")
    group_base: str | None = Field(None, description="or groups searched for below it")
    group_filter: str = "(|(member={dn})(uniqueMember={dn})(memberUid={login}))"
    groups: dict[Dn, str] = Field(
        default_factory=dict, description="a group's DN = its name in the suite; others are left"
    )
    changed_attribute: str | None = Field(
        None, description="changes with the password, as pwdLastSet: the logins of before then end"
    )

    @validates(mode="after")
    def _one_way_to_people(self) -> "LdapSettings":
        if (self.search_base is None) == (self.dn_template is None):
            raise ValueError("give exactly one of search_base and dn_template")
        if (self.bind_dn is None) != (self.bind_password is None):
            raise ValueError("give both of bind_dn and bind_password, or neither")
        if self.bind_password is not None and not self.bind_password.get_secret_value():
            raise ValueError("an empty bind_password would bind as nobody")
        if self.ca_certificates is not None and not self.ca_certificates.is_file():
            raise ValueError(f"ca_certificates: {self.ca_certificates} is not there")
        open_ones = [url for url in self.servers if url.startswith("ldap:")]
        if not self.starttls and any(urlsplit(url).hostname not in LOOPBACK for url in open_ones):
            raise ValueError("passwords cross a network under TLS only: starttls, or ldaps://")
        return self


class LdapProvider(Provider):
    """Proves by a bind as the entry that was found for a login."""

    settings_kind: ClassVar = LdapSettings

    def __init__(self, name: str, settings: LdapSettings) -> None:
        super().__init__(name, settings)
        self.refusal_seconds = settings.refusal_seconds
        if settings.search_base is None:
            self.login_seconds = settings.login_seconds
        self._settings = settings
        self._reach = Reach(name, settings.timeout_seconds)
        cafile = settings.ca_certificates
        self._directory = Directory(
            settings.servers,
            self._reach,
            cafile=str(cafile) if cafile else None,
            starttls=settings.starttls,
        )
        self._groups = {normal(dn): name for dn, name in settings.groups.items()}

    def knows(self, login: str) -> bool | None:
        """Whether the search finds exactly one entry; a template cannot say."""
        if self._settings.search_base is None:
            return None
        return self._directory.ask(lambda talk: self._found(talk, login) is not None)

    def prove(self, login: str, password: str) -> Identity | None:
        """The identity of the entry that this password binds as."""
        if not password:
            return None
        return self._directory.ask(lambda talk: self._proven(talk, login, password))

    def still(self, proven: Identity) -> Identity | None:
        """The entry as it is now, unless it is gone; with a template nobody can say."""
        if self._settings.search_base is None:
            return proven
        own = [self._settings.login_attribute]
        now = self._directory.ask(lambda talk: self._known(talk, proven.login, own))
        return now if now is not None and proven.proof in {None, now.proof} else None

    def fault(self) -> str | None:
        """One line where it did not answer last, else None."""
        return self._reach.fault()

    def _proven(self, talk: Talk, login: str, password: str) -> Identity | None:
        template = self._settings.dn_template
        if template is not None:
            dn = template.format(login=escaped(login))
            if not talk.binds(dn, password):
                return None
            own = talk.read(dn, self._attributes())
            return self._identity(talk, own, login) if own is not None else None
        entry = self._found(talk, login)
        if entry is None:
            # As many questions as for a wrong password; theirs does not go out for nobody.
            nobody = f"cn={secrets.token_hex(8)},{self._settings.search_base}"
            talk.binds(nobody, secrets.token_hex(8))
            return None
        if not talk.binds(entry.dn, password):
            return None
        return self._identity(talk, entry, login)

    def _known(self, talk: Talk, login: str, by: Sequence[str]) -> Identity | None:
        entry = self._found(talk, login, by)
        return self._identity(talk, entry, login) if entry is not None else None

    def _found(self, talk: Talk, login: str, by: Sequence[str] = ()) -> Entry | None:
        """The one entry of this login; two are none."""
        self._bind_to_search(talk)
        by = by or [self._settings.login_attribute, *self._settings.found_by]
        named = "".join(f"({attribute}={escaped(login)})" for attribute in by)
        what = f"(&{self._settings.user_filter}(|{named}))"
        found = talk.search(str(self._settings.search_base), what, self._attributes())
        return found[0] if len(found) == 1 else None

    def _bind_to_search(self, talk: Talk) -> None:
        secret = self._settings.bind_password
        password = secret.get_secret_value() if secret is not None else None
        if not talk.binds(self._settings.bind_dn, password):
            raise Unreachable(f"the directory refuses {self._settings.bind_dn or 'nobody'}")

    def _identity(self, talk: Talk, entry: Entry, login: str) -> Identity | None:
        """What the entry says; its own spelling of the login, so that each has one only."""
        spelled = entry.all(self._settings.login_attribute)
        same = [one for one in spelled if one.casefold() == login.casefold()]
        own = next(iter([*same, *spelled]), None)
        if own is None:
            return None
        said = {
            "name": entry.one(self._settings.name_attribute),
            "email": entry.one(self._settings.email_attribute),
        }
        claims: dict[str, Any] = {name: value for name, value in said.items() if value is not None}
        groups = sorted(set(self._groups_of(talk, entry, own)))
        if groups:
            claims["groups"] = groups
        return Identity(own, claims, self._proof(entry))

    def _groups_of(self, talk: Talk, entry: Entry, login: str) -> Iterator[str]:
        if not self._groups:
            return
        if self._settings.group_base is None:
            named = entry.all(self._settings.group_attribute)
        else:
            dn, name = escaped(entry.dn), escaped(login)
            what = self._settings.group_filter.format(dn=dn, login=name)
            self._bind_to_search(talk)
            named = [one.dn for one in talk.search(self._settings.group_base, what, [])]
        for dn in named:
            with suppress(ValueError):  # a value that is no DN is no group of the map's
                if (group := self._groups.get(normal(dn))) is not None:
                    yield group

    def _proof(self, entry: Entry) -> str | None:
        if self._settings.changed_attribute is None:
            return None
        changed = entry.one(self._settings.changed_attribute)
        return hashlib.sha256(f"{entry.dn} {changed}".encode()).hexdigest()

    def _attributes(self) -> list[str]:
        of = self._settings
        named = [of.login_attribute, of.name_attribute, of.email_attribute, of.group_attribute]
        return [*named, of.changed_attribute] if of.changed_attribute else named
