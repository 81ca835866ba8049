"""The steps from one form of ssx's tables to the next (Alembic)."""

from pathlib import Path

from pyispyb_chassis.migrations import Migrations

MIGRATIONS = Migrations("ssx", Path(__file__).parent)
