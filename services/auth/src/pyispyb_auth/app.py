"""The only wiring of auth."""

import orjson
from flask import Flask

from pyispyb_auth.demo import refuse_demo_accounts
from pyispyb_auth.migrations import MIGRATIONS
from pyispyb_auth.operations import keys
from pyispyb_auth.operations.access_tokens import AccessTokens
from pyispyb_auth.operations.browsers import Browsers
from pyispyb_auth.operations.logins import Logins
from pyispyb_auth.operations.personal_tokens import PersonalTokens
from pyispyb_auth.operations.service_accounts import ServiceAccounts
from pyispyb_auth.operations.service_secrets import ServiceSecrets
from pyispyb_auth.providers import providers_of
from pyispyb_auth.resources.browser import browser_namespace
from pyispyb_auth.resources.login import auth_namespace
from pyispyb_auth.resources.personal_tokens import personal_tokens_namespace
from pyispyb_auth.resources.service_accounts import service_accounts_namespace
from pyispyb_auth.settings import AuthSettings
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
    signing = keys.initialise(settings.keys_dir)
    access_tokens = AccessTokens(block.issuer, block.audience, settings.token_seconds, signing)
    accounts = ServiceAccounts(database, providers, block.login_pattern)
    personal_tokens = PersonalTokens(database, settings, providers, access_tokens)
    keepers = (ServiceSecrets(database), personal_tokens)
    logins = Logins(database, settings, providers, access_tokens, keepers)
    url, prefix = configuration.suite.url, settings.prefix
    browsers = Browsers(database, providers, logins, f"{url}{prefix}/browser")

    def administers(caller: Principal) -> bool:
        """Whether by an ordinary login of ours: a narrowed one could make itself a wider one."""
        narrowed = caller.scope is not None or caller.only_beamlines is not None
        ours = caller.issuer == settings.issuer and not narrowed
        return ours and is_administrator(caller, configuration.suite.administrators)

    def rights_of(caller: Principal) -> frozenset[Permission]:
        return frozenset({Permission.ACCOUNTS_MANAGE} if administers(caller) else ())

    service = Service(
        name="auth",
        title="PyISPyB auth: who you are",
        settings=settings,
        namespaces=[
            auth_namespace(logins, access_tokens, providers, prefix),
            browser_namespace(browsers, prefix, secure=url.startswith("https:")),
            service_accounts_namespace(accounts, prefix),
            personal_tokens_namespace(personal_tokens, administers, prefix),
        ],
        rights_of=rights_of,
        signs_as={settings.issuer: OwnIssuer(lambda: orjson.dumps(access_tokens.jwks()))},
        ready={
            "database": lambda: MIGRATIONS.fault(database),
            "keys": lambda: keys.fault(settings.keys_dir),
        },
        noted={f"provider {name}": one.fault for name, one in providers.items()},
    )
    app = create_service(configuration, service)
    app.extensions["pyispyb_databases"] = [database]
    return app
