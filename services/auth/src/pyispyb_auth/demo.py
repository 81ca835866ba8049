"""The demo accounts: for a local run only, and refused everywhere else."""

import os
from pathlib import Path

from argon2 import PasswordHasher
from argon2.exceptions import Argon2Error

from pyispyb_auth.providers.static import Account, BadAccounts, StaticSettings, read_accounts
from pyispyb_auth.settings import AuthSettings
from pyispyb_chassis.configuration import BadConfiguration
from pyispyb_chassis.tokens import ADMINISTRATORS_GROUP

PEOPLE = ("alice", "bob", "carol", "dave", "erin", "oscar")
ADMINISTRATOR = "erin"
SERVICE, BEAMLINE = "mxcube", "BL1"
SERVICE_SCOPE = (
    "proposals:read", "sessions:read", "sessions:write", "samples:read", "samples:write",
    "containers:read", "containers:write", "crystals:read", "proteins:read", "runs:read",
    "runs:write", "diffraction-plans:read", "detectors:read", "beamline-setups:read",
    "beamline-setups:write", "datacollection-groups:read", "datacollection-groups:write",
    "datacollections:read", "datacollections:write", "images:read", "images:write",
    "robot-actions:read", "robot-actions:write", "energy-scans:read", "energy-scans:write",
    "xfe-spectra:read", "xfe-spectra:write",
)  # fmt: skip
FILE_MODE = 0o600


def password_of(login: str) -> str:
    """The demo's one rule for passwords."""
    return f"{login}-demo"


def write_demo_accounts(file: Path) -> bool:
    """Write the demo cast's accounts; False where the file is there already."""
    if file.exists():
        return False
    hasher = PasswordHasher()
    lines = ["# The demo cast. A production environment refuses to start with these."]
    for login in (*PEOPLE, SERVICE):
        lines += [f"\n[accounts.{login}]", f'password_hash = "{hasher.hash(password_of(login))}"']
        if login == ADMINISTRATOR:
            lines.append(f'groups = ["{ADMINISTRATORS_GROUP}"]')
    lines += [f"scope = {list(SERVICE_SCOPE)}".replace("'", '"'), f'beamlines = ["{BEAMLINE}"]', ""]
    file.parent.mkdir(parents=True, exist_ok=True)
    unfinished = file.with_suffix(".new")
    opened = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, FILE_MODE)
    with os.fdopen(opened, "w", encoding="utf-8") as out:
        out.write("\n".join(lines))
    unfinished.rename(file)
    return True


def static_providers(settings: AuthSettings) -> dict[str, StaticSettings]:
    """The configured providers that read an accounts file."""
    found = settings.providers.items()
    return {name: one for name, one in found if isinstance(one, StaticSettings)}


def refuse_demo_accounts(settings: AuthSettings) -> None:
    """Raise BadConfiguration where one of the demo's accounts has its demo password."""
    hasher = PasswordHasher()
    faults: list[str] = []
    for name, provider in static_providers(settings).items():
        try:
            accounts = read_accounts(provider.accounts_file)
        except BadAccounts as bad:
            faults += str(bad).splitlines()
            continue
        found = [
            login
            for login in (*PEOPLE, SERVICE)
            if login in accounts and _has_demo_password(hasher, login, accounts[login])
        ]
        if found:
            faults.append(
                f"{provider.accounts_file}: auth.providers.{name}: demo accounts, with which"
                f' environment = "production" does not start: {", ".join(found)}'
            )
    if faults:
        raise BadConfiguration(faults)


def _has_demo_password(hasher: PasswordHasher, login: str, account: Account) -> bool:
    try:
        return hasher.verify(account.password_hash, password_of(login))
    except Argon2Error:
        return False
