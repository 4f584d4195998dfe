"""What was predicted, what turned out to be true, and which models keep both."""

import sqlalchemy as sa
from alembic import op

revision = "0026_ground_truth"
down_revision = "0025_rollouts"
branch_labels = None
depends_on = None

_TIME = sa.DateTime(timezone=True)


def _key() -> tuple[sa.Column[str], sa.Column[str], sa.Column[int]]:
    return (
        sa.Column("model_id", sa.String(length=127), nullable=False),
        sa.Column("prediction_id", sa.String(length=128), nullable=False),
        sa.Column("row", sa.Integer(), autoincrement=False, nullable=False),
    )


def upgrade() -> None:
    op.create_table(
        "observed_predictions",
        *_key(),
        sa.Column("version", sa.String(length=63), nullable=False),
        sa.Column("at", _TIME, nullable=False),
        sa.Column("unit", sa.String(length=32), nullable=False),
        sa.Column("prediction", sa.Text(), nullable=False),
        sa.Column("probabilities", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("model_id", "prediction_id", "row", name=op.f("pk_observed_predictions")),
    )
    op.create_index(op.f("ix_observed_predictions_model_id_at"), "observed_predictions", ["model_id", "at"])
    op.create_table(
        "feedback",
        *_key(),
        sa.Column("label", sa.Text(), nullable=True),
        sa.Column("reward", sa.Double(), nullable=True),
        sa.Column("at", _TIME, nullable=False),
        sa.Column("received_at", _TIME, nullable=False),
        sa.PrimaryKeyConstraint("model_id", "prediction_id", "row", name=op.f("pk_feedback")),
    )
    op.create_index(op.f("ix_feedback_model_id_at"), "feedback", ["model_id", "at"])
    op.add_column("models", sa.Column("feedback_percent", sa.Integer(), nullable=True))
    op.add_column(
        "models",
        sa.Column("feedback_retention_days", sa.Integer(), nullable=False, server_default="90"),
    )
    op.add_column("models", sa.Column("feedback_id_field", sa.String(length=200), nullable=True))


def downgrade() -> None:
    with op.batch_alter_table("models") as models:
        models.drop_column("feedback_id_field")
        models.drop_column("feedback_retention_days")
        models.drop_column("feedback_percent")
    op.drop_table("feedback")
    op.drop_table("observed_predictions")
