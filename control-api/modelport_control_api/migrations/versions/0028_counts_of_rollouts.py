"""What was counted of a rollout, kept when it ended."""

import sqlalchemy as sa
from alembic import op

revision = "0028_counts_of_rollouts"
down_revision = "0027_events"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("rollouts", sa.Column("counts", sa.JSON(), nullable=True))


def downgrade() -> None:
    op.drop_column("rollouts", "counts")
