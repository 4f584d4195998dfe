"""The size of a version's lock, which counts toward what its owner holds."""

import sqlalchemy as sa
from alembic import op

revision = "0023_lock_bytes"
down_revision = "0022_ensemble"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # 0: of those that are there nobody wrote it down.
    op.add_column("model_versions", sa.Column("lock_bytes", sa.Integer(), nullable=False, server_default="0"))


def downgrade() -> None:
    op.drop_column("model_versions", "lock_bytes")
