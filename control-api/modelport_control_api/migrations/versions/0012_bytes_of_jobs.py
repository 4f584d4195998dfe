"""What jobs' chunks and drift references take, so that it counts towards what a user may hold."""

import sqlalchemy as sa
from alembic import op

revision = "0012_bytes_of_jobs"
down_revision = "0011_quotas_and_invites"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # Chunks of earlier jobs count as nothing: they go in days.
    op.add_column("batch_jobs", _bytes("chunk_bytes"))
    op.create_index(
        op.f("ix_batch_jobs_owner_id_files_removed_at"), "batch_jobs", ["owner_id", "files_removed_at"]
    )
    op.add_column("drift_references", _bytes("bytes"))
    op.execute("UPDATE drift_references SET bytes = length(CAST(profile AS TEXT))")


def downgrade() -> None:
    op.drop_column("drift_references", "bytes")
    op.drop_index(op.f("ix_batch_jobs_owner_id_files_removed_at"), table_name="batch_jobs")
    op.drop_column("batch_jobs", "chunk_bytes")


def _bytes(name: str) -> sa.Column[int]:
    return sa.Column(name, sa.BigInteger(), nullable=False, server_default="0")
