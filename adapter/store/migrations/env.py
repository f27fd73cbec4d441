"""What Alembic runs. The connection, inside its transaction, comes from `Store.migrate`."""

from alembic import context

from intyg.adapter.store import tables

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=tables.metadata,
    transactional_ddl=True,  # on SQLite too: the driver's own transactions are switched off
    compare_type=True,
)
with context.begin_transaction():
    context.run_migrations()
