"""Of which versions an ensemble was made."""

import sqlalchemy as sa
from alembic import op

revision = "0022_ensemble"
down_revision = "0021_importance"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # NULL: it is no ensemble. A control API of the release before writes rows during the rollout.
    op.add_column("model_versions", sa.Column("ensemble", sa.JSON(), nullable=True))


def downgrade() -> None:
    op.drop_column("model_versions", "ensemble")
