"""The steps by which auth's tables came to their form."""

from pathlib import Path

from pyispyb_chassis.migrations import Migrations

MIGRATIONS = Migrations("auth", Path(__file__).parent)
