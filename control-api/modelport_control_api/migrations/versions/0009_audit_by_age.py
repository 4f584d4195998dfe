"""Everybody's audit log is read in the order of time."""

from alembic import op

revision = "0009_audit_by_age"
down_revision = "0008_web"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index("ix_audit_log_at_id", "audit_log", ["at", "id"])


def downgrade() -> None:
    op.drop_index("ix_audit_log_at_id", "audit_log")
