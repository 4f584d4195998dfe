"""What a version runs in."""

import sqlalchemy as sa
from alembic import op

revision = "0017_environment"
down_revision = "0016_tags"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # NULL: the framework's own. A control API of the release before writes rows during the rollout.
    op.add_column("model_versions", sa.Column("environment", sa.String(63), nullable=True))


def downgrade() -> None:
    op.drop_column("model_versions", "environment")
