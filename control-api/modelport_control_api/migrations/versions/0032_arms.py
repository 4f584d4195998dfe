"""Which side of a rollout's step answered a row."""

import sqlalchemy as sa
from alembic import op

revision = "0032_arms"
down_revision = "0031_calibrations"
branch_labels = None
depends_on = None

_INDEX = "ix_observed_predictions_model_id_arm"


def upgrade() -> None:
    op.add_column(
        "observed_predictions", sa.Column("arm", sa.String(length=40), nullable=False, server_default="")
    )
    op.create_index(
        _INDEX,
        "observed_predictions",
        ["model_id", "arm"],
        sqlite_where=sa.text("arm <> ''"),
        postgresql_where=sa.text("arm <> ''"),
    )


def downgrade() -> None:
    op.drop_index(_INDEX, "observed_predictions")
    with op.batch_alter_table("observed_predictions") as observed:
        observed.drop_column("arm")
