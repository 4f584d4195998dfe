"""What happened to models and jobs."""

import sqlalchemy as sa
from alembic import op

revision = "0027_events"
down_revision = "0026_ground_truth"
branch_labels = None
depends_on = None

_TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "events",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("user_id", sa.String(length=36), nullable=False),
        sa.Column("model_id", sa.String(length=127), nullable=False),
        sa.Column("type", sa.String(length=40), nullable=False),
        sa.Column("key", sa.String(length=200), nullable=False),
        sa.Column("data", sa.JSON(), nullable=False),
        sa.Column("created_at", _TIME, nullable=False),
        sa.Column("read_at", _TIME, nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_events")),
        sa.UniqueConstraint("model_id", "type", "key", name=op.f("uq_events_model_id_type_key")),
    )
    op.create_index(op.f("ix_events_created_at"), "events", ["created_at"])
    op.create_index(op.f("ix_events_user_id_created_at_id"), "events", ["user_id", "created_at", "id"])
    op.create_index(op.f("ix_events_user_id_read_at"), "events", ["user_id", "read_at"])


def downgrade() -> None:
    op.drop_table("events")
