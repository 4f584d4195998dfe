"""What Prometheus is shown of models' quality."""

import sqlalchemy as sa
from alembic import op

revision = "0034_quality_gauges"
down_revision = "0033_experiments"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "quality_gauges",
        sa.Column("model_id", sa.String(length=63), nullable=False),
        sa.Column("versions", sa.JSON(), nullable=False),
        sa.Column("computed_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["model_id"], ["models.id"], name=op.f("fk_quality_gauges_model_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("model_id", name=op.f("pk_quality_gauges")),
    )


def downgrade() -> None:
    op.drop_table("quality_gauges")
