"""Whether and how a model's predictions are kept, and those that are."""

import sqlalchemy as sa
from alembic import op

revision = "0005_history"
down_revision = "0004_usage"
branch_labels = None
depends_on = None

_SETTINGS = ("history_percent", "history_retention_days", "history_redact_fields", "history_max_row_bytes")


def upgrade() -> None:
    # The defaults stay: a control API of the release before writes rows during the rollout.
    op.add_column("models", sa.Column("history_percent", sa.Integer(), nullable=True))
    for name, default in (("history_retention_days", "30"), ("history_max_row_bytes", "16384")):
        op.add_column("models", sa.Column(name, sa.Integer(), nullable=False, server_default=default))
    fields = sa.Column("history_redact_fields", sa.JSON(), nullable=False, server_default="[]")
    op.add_column("models", fields)
    _create_predictions()


def downgrade() -> None:
    op.drop_table("prediction_history")
    for name in _SETTINGS:
        op.drop_column("models", name)


def _create_predictions() -> None:
    op.create_table(
        "prediction_history",
        sa.Column("id", sa.String(36), nullable=False),
        sa.Column("model_id", sa.String(63), nullable=False),
        sa.Column("version", sa.String(63), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("caller_id", sa.String(36), nullable=False),
        sa.Column("api_key_id", sa.String(36), nullable=False),
        sa.Column("request_id", sa.String(64), nullable=False),
        sa.Column("status", sa.Integer(), nullable=False),
        sa.Column("reason", sa.String(63), nullable=False),
        sa.Column("cache", sa.String(10), nullable=False),
        sa.Column("seconds", sa.Double(), nullable=False),
        sa.Column("request", sa.Text(), nullable=True),
        sa.Column("request_bytes", sa.BigInteger(), nullable=False),
        sa.Column("answer", sa.Text(), nullable=True),
        sa.Column("truncated", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(
            ["model_id"], ["models.id"], name=op.f("fk_prediction_history_model_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_prediction_history")),
    )
    op.create_index(
        op.f("ix_prediction_history_model_id_created_at_id"),
        "prediction_history",
        ["model_id", "created_at", "id"],
    )
