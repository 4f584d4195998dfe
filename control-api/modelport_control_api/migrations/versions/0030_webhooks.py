"""Webhooks of users and models; messages are theirs, or of a job as before."""

import sqlalchemy as sa
from alembic import op

revision = "0030_webhooks"
down_revision = "0029_told_states"
branch_labels = None
depends_on = None

_TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.add_column("events", sa.Column("pending", sa.Boolean(), nullable=False, server_default=sa.false()))
    op.create_index(op.f("ix_events_pending"), "events", ["pending"])
    op.create_table(
        "webhooks",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("model_id", sa.String(length=63), nullable=True),
        sa.Column("user_id", sa.String(length=36), nullable=False),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("description", sa.String(length=200), nullable=False),
        sa.Column("events", sa.JSON(), nullable=False),
        sa.Column("enabled", sa.Boolean(), nullable=False),
        sa.Column("suspended", sa.Boolean(), nullable=False),
        sa.Column("secret", sa.String(length=64), nullable=False),
        sa.Column("former_secret", sa.String(length=64), nullable=True),
        sa.Column("former_until", _TIME, nullable=True),
        sa.Column("created_at", _TIME, nullable=False),
        sa.ForeignKeyConstraint(
            ["model_id"], ["models.id"], name=op.f("fk_webhooks_model_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name=op.f("fk_webhooks_user_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_webhooks")),
    )
    op.create_index(op.f("ix_webhooks_model_id"), "webhooks", ["model_id"])
    op.create_index(op.f("ix_webhooks_user_id_created_at_id"), "webhooks", ["user_id", "created_at", "id"])
    with op.batch_alter_table("webhook_deliveries") as deliveries:
        deliveries.alter_column("job_id", existing_type=sa.String(length=36), nullable=True)
        deliveries.add_column(sa.Column("webhook_id", sa.String(length=36), nullable=True))
        deliveries.add_column(sa.Column("event_id", sa.String(length=36), nullable=True))
        deliveries.add_column(sa.Column("type", sa.String(length=40), nullable=False, server_default=""))
        deliveries.add_column(sa.Column("last_status", sa.Integer(), nullable=True))
        deliveries.add_column(sa.Column("created_at", _TIME, nullable=False, server_default=sa.func.now()))
        for column, table in (("webhook_id", "webhooks"), ("event_id", "events")):
            name = op.f(f"fk_webhook_deliveries_{column}")
            deliveries.create_foreign_key(name, table, [column], ["id"], ondelete="CASCADE")
    op.create_index(op.f("ix_webhook_deliveries_event_id"), "webhook_deliveries", ["event_id"])
    op.create_index(
        op.f("ix_webhook_deliveries_webhook_id_created_at_id"),
        "webhook_deliveries",
        ["webhook_id", "created_at", "id"],
    )


def downgrade() -> None:
    op.execute("DELETE FROM webhook_deliveries WHERE job_id IS NULL")
    op.drop_index(op.f("ix_webhook_deliveries_webhook_id_created_at_id"), "webhook_deliveries")
    op.drop_index(op.f("ix_webhook_deliveries_event_id"), "webhook_deliveries")
    with op.batch_alter_table("webhook_deliveries") as deliveries:
        for column in ("webhook_id", "event_id"):
            deliveries.drop_constraint(op.f(f"fk_webhook_deliveries_{column}"), type_="foreignkey")
        for column in ("webhook_id", "event_id", "type", "last_status", "created_at"):
            deliveries.drop_column(column)
        deliveries.alter_column("job_id", existing_type=sa.String(length=36), nullable=False)
    op.drop_table("webhooks")
    op.drop_index(op.f("ix_events_pending"), "events")
    with op.batch_alter_table("events") as events:
        events.drop_column("pending")
