"""What alembic runs around the migrations: they use the connection they are given."""

from alembic import context

from vpemetrics.store.tables import metadata

context.configure(connection=context.config.attributes["connection"], target_metadata=metadata)
with context.begin_transaction():
    context.run_migrations()
