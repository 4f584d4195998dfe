"""Whether a model may be accelerated."""

import sqlalchemy as sa
from alembic import op

revision = "0003_acceleration"
down_revision = "0002_models"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # The default stays: a control API of the release before writes rows during the rollout.
    acceleration = sa.Column("acceleration", sa.String(10), nullable=False, server_default="auto")
    op.add_column("models", acceleration)


def downgrade() -> None:
    op.drop_column("models", "acceleration")
