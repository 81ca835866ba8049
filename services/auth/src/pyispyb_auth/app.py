"""The only wiring of auth."""

import orjson
from flask import Flask

from pyispyb_auth.demo import refuse_demo_accounts
from pyispyb_auth.figures import AUDIT
from pyispyb_auth.migrations import MIGRATIONS
from pyispyb_auth.operations import keys
from pyispyb_auth.operations.access_tokens import AccessTokens
from pyispyb_auth.operations.audit import log as trail
from pyispyb_auth.operations.browsers import Browsers
from pyispyb_auth.operations.grants import Grant, refresh_grant
from pyispyb_auth.operations.keyring import KeyRing
from pyispyb_auth.operations.logins import Logins
from pyispyb_auth.operations.personal_tokens import PersonalTokens
from pyispyb_auth.operations.revoking import Revocations
from pyispyb_auth.operations.secret_grants import (
    TOKEN_EXCHANGE,
    client_credentials_grant,
    token_exchange_grant,
)
from pyispyb_auth.operations.service_accounts import ServiceAccounts
from pyispyb_auth.operations.service_secrets import ServiceSecrets
from pyispyb_auth.operations.throttling import Throttle
from pyispyb_auth.providers import providers_of
from pyispyb_auth.resources.browser import browser_namespace
from pyispyb_auth.resources.login import auth_namespace
from pyispyb_auth.resources.oauth import add_root_metadata, oauth_namespace
from pyispyb_auth.resources.personal_tokens import personal_tokens_namespace
from pyispyb_auth.resources.revoking import revoking_namespace
from pyispyb_auth.resources.service_accounts import service_accounts_namespace
from pyispyb_auth.settings import AuthSettings
from pyispyb_chassis.access import refuse_unmarked_routes
from pyispyb_chassis.administrators import is_administrator
from pyispyb_chassis.app import Service, create_service
from pyispyb_chassis.configuration import BadConfiguration, Configuration
from pyispyb_chassis.database import Database
from pyispyb_chassis.permissions import Permission
from pyispyb_chassis.principal import Principal
from pyispyb_chassis.tokens import OwnIssuer


def create_app(configuration: Configuration) -> Flask:
    """The WSGI app of auth; makes the first signing key where there is none.

    Raises BadConfiguration where it is told to sign for an issuer that is not configured, and in
    production with accounts of the demo.
    """
    settings = configuration.section(AuthSettings)
    block = configuration.suite.issuers.get(settings.issuer)
    if block is None:
        raise BadConfiguration([f"auth.issuer: no block [issuers.{settings.issuer}]"])
    if configuration.suite.environment == "production":
        refuse_demo_accounts(settings)
    database = Database(settings.database_url.get_secret_value(), name="the database of auth")
    providers = providers_of(settings.providers)
    ring = KeyRing(settings.keys_dir, settings.key_lead_seconds)
    access_tokens = AccessTokens(block.issuer, block.audience, settings.token_seconds, ring)
    revocations = Revocations(database, access_tokens)
    throttle = Throttle(database, settings)
    accounts = ServiceAccounts(database, providers, block.login_pattern, revocations)
    personal_tokens = PersonalTokens(database, settings, providers, access_tokens, revocations)
    secrets = ServiceSecrets(database)
    keepers = (secrets, personal_tokens)
    logins = Logins(database, settings, providers, access_tokens, revocations, throttle, keepers)
    grants: dict[str, Grant] = {
        "refresh_token": refresh_grant(logins),
        "client_credentials": client_credentials_grant(secrets, access_tokens),
        TOKEN_EXCHANGE: token_exchange_grant(personal_tokens, access_tokens),
    }
    url, prefix = configuration.suite.url, settings.prefix
    browsers = Browsers(database, providers, logins, f"{url}{prefix}/browser")

    def administers(caller: Principal) -> bool:
        """Whether by an ordinary login of ours: a narrowed one could make itself a wider one."""
        narrowed = caller.scope is not None or caller.only_beamlines is not None
        ours = caller.issuer == settings.issuer and not narrowed
        return ours and is_administrator(caller, configuration.suite.administrators)

    def rights_of(caller: Principal) -> frozenset[Permission]:
        return frozenset({Permission.ACCOUNTS_MANAGE} if administers(caller) else ())

    def jwks() -> bytes:
        return orjson.dumps(access_tokens.jwks())

    service = Service(
        name="auth",
        title="PyISPyB auth: who you are",
        settings=settings,
        namespaces=[
            auth_namespace(logins, access_tokens, providers, prefix),
            browser_namespace(browsers, prefix, secure=url.startswith("https:")),
            service_accounts_namespace(accounts, prefix),
            personal_tokens_namespace(personal_tokens, administers, prefix),
            oauth_namespace(logins, access_tokens, grants, url + prefix),
            revoking_namespace(revocations),
        ],
        rights_of=rights_of,
        signs_as={settings.issuer: OwnIssuer(jwks, revocations.signed)},
        inside={"/revocations": revocations.page},
        ready={
            "database": lambda: MIGRATIONS.fault(database),
            "keys": lambda: keys.fault(settings.keys_dir),
        },
        noted={f"provider {name}": one.fault for name, one in providers.items()},
        databases=[database],
        tables=lambda: MIGRATIONS.fault(database),
    )
    app = create_service(configuration, service)
    trail.addHandler(AUDIT)
    add_root_metadata(app, access_tokens, grants, url + prefix, prefix)
    refuse_unmarked_routes(app)
    return app
