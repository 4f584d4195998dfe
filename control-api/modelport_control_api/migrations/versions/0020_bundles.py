"""What was packed of the locks of own requirements."""

import sqlalchemy as sa
from alembic import op

revision = "0020_bundles"
down_revision = "0019_contributions_of_jobs"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "bundles",
        sa.Column("lock_sha256", sa.String(64), primary_key=True),
        sa.Column("sha256", sa.String(64), nullable=False),
    )
    op.create_index(op.f("ix_bundles_sha256"), "bundles", ["sha256"])


def downgrade() -> None:
    op.drop_table("bundles")
