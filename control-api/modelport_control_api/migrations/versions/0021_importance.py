"""Importance of the columns of a version, and the jobs that compute it."""

import sqlalchemy as sa
from alembic import op

revision = "0021_importance"
down_revision = "0020_bundles"
branch_labels = None
depends_on = None

_TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    # The default is for a control API of the release before, which writes rows during the rollout.
    op.add_column("batch_jobs", sa.Column("purpose", sa.String(20), nullable=False, server_default=""))
    op.create_table(
        "version_importance",
        sa.Column("model_id", sa.String(length=63), nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("source", sa.String(length=10), nullable=False),
        sa.Column("reference_id", sa.String(length=36), nullable=True),
        sa.Column("job_id", sa.String(length=36), nullable=False),
        sa.Column("input_format", sa.String(length=10), nullable=False),
        sa.Column("message", sa.Text(), nullable=False),
        sa.Column("rows", sa.Integer(), nullable=False),
        sa.Column("result", sa.JSON(), nullable=True),
        sa.Column("started_at", _TIME, nullable=False),
        sa.Column("computed_at", _TIME, nullable=True),
        sa.ForeignKeyConstraint(
            ["model_id", "number"],
            ["model_versions.model_id", "model_versions.number"],
            name=op.f("fk_version_importance_model_id_number"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("model_id", "number", name=op.f("pk_version_importance")),
    )


def downgrade() -> None:
    op.drop_table("version_importance")
    op.drop_column("batch_jobs", "purpose")
