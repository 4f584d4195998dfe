"""Tags of models, by which users group them."""

import sqlalchemy as sa
from alembic import op

revision = "0016_tags"
down_revision = "0015_disabled_users"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # With a default: a control API of the release before writes rows during the rollout.
    op.add_column("models", sa.Column("tags", sa.JSON(), nullable=False, server_default="[]"))


def downgrade() -> None:
    op.drop_column("models", "tags")
