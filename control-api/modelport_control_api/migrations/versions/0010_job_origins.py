"""What a job's input was called, which job it tries again, what it waits for, how large its results are."""

import sqlalchemy as sa
from alembic import op

revision = "0010_job_origins"
down_revision = "0009_audit_by_age"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # The defaults stay: a control API of the release before writes rows during the rollout.
    texts = {
        "input_name": sa.String(length=255),
        "retry_rows": sa.String(length=10),
        "waiting_for": sa.Text(),
    }
    for name, kind in texts.items():
        op.add_column("batch_jobs", sa.Column(name, kind, nullable=False, server_default=""))
    op.add_column("batch_jobs", sa.Column("retry_of", sa.String(length=36), nullable=True))
    size = sa.Column("result_bytes", sa.BigInteger(), nullable=False, server_default="0")
    op.add_column("batch_jobs", size)


def downgrade() -> None:
    for name in ("result_bytes", "retry_of", "waiting_for", "retry_rows", "input_name"):
        op.drop_column("batch_jobs", name)
