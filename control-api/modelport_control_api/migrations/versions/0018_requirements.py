"""A version's own requirements, and what was locked of them."""

import sqlalchemy as sa
from alembic import op

revision = "0018_requirements"
down_revision = "0017_environment"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # NULL: it has none. A control API of the release before writes rows during the rollout.
    op.add_column("model_versions", sa.Column("requirements", sa.Text(), nullable=True))
    op.add_column("model_versions", sa.Column("packages", sa.JSON(), nullable=True))
    op.add_column("model_versions", sa.Column("lock_sha256", sa.String(64), nullable=True))
    op.create_index(op.f("ix_model_versions_lock_sha256"), "model_versions", ["lock_sha256"])


def downgrade() -> None:
    op.drop_index(op.f("ix_model_versions_lock_sha256"), table_name="model_versions")
    for column in ("lock_sha256", "packages", "requirements"):
        op.drop_column("model_versions", column)
