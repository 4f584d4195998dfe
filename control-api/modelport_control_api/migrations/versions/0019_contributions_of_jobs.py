"""Contributions in the results of a job."""

import sqlalchemy as sa
from alembic import op

revision = "0019_contributions_of_jobs"
down_revision = "0018_requirements"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # The default is for a control API of the release before, which writes rows during the rollout.
    op.add_column(
        "batch_jobs", sa.Column("contributions", sa.Boolean(), nullable=False, server_default=sa.false())
    )


def downgrade() -> None:
    op.drop_column("batch_jobs", "contributions")
