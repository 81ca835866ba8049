"""The steps from one form of ssx's tables to the next (Alembic)."""
