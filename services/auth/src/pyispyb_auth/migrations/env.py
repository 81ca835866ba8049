"""What Alembic runs: every step over the connection that it was given."""

from alembic import context

from pyispyb_auth.tables import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    transactional_ddl=False,
)
with context.begin_transaction():
    context.run_migrations()
