"""Which version's callers the versions of a model's traffic are to get."""

import sqlalchemy as sa
from alembic import op

revision = "0014_compatible_with"
down_revision = "0013_sticky"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # NULL: nothing is compared. A control API of the release before writes rows during the rollout.
    op.add_column("models", sa.Column("compatible_with", sa.JSON(), nullable=True))


def downgrade() -> None:
    op.drop_column("models", "compatible_with")
