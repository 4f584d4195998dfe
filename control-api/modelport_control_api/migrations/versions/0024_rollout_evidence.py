"""What gateways counted of rollouts."""

import sqlalchemy as sa
from alembic import op

revision = "0024_rollout_evidence"
down_revision = "0023_lock_bytes"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "rollout_evidence",
        sa.Column("model_id", sa.String(length=127), nullable=False),
        sa.Column("rollout", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("step", sa.String(length=15), nullable=False),
        sa.Column("counter", sa.String(length=200), nullable=False),
        sa.Column("count", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("model_id", "rollout", "step", "counter", name=op.f("pk_rollout_evidence")),
    )


def downgrade() -> None:
    op.drop_table("rollout_evidence")
