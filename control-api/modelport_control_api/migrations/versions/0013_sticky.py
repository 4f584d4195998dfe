"""What stays on one version of a traffic split."""

import sqlalchemy as sa
from alembic import op

revision = "0013_sticky"
down_revision = "0012_bytes_of_jobs"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # NULL: nothing. A control API of the release before writes rows during the rollout.
    op.add_column("models", sa.Column("sticky", sa.String(10), nullable=True))


def downgrade() -> None:
    op.drop_column("models", "sticky")
