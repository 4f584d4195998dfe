"""Alembic's entry point. `db.migrate` hands it a connection that is in a transaction already."""

from alembic import context

from modelport_control_api.migrations.schema import METADATA

connection = context.config.attributes["connection"]
context.configure(
    connection=connection,
    target_metadata=METADATA,
    render_as_batch=connection.dialect.name == "sqlite",
    transactional_ddl=True,
)
with context.begin_transaction():
    context.run_migrations()
