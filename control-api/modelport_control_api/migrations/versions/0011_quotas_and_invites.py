"""What a user may hold beyond what everybody may, and invitations to register."""

import sqlalchemy as sa
from alembic import op

revision = "0011_quotas_and_invites"
down_revision = "0010_job_origins"
branch_labels = None
depends_on = None

_TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.add_column("users", sa.Column("max_models", sa.Integer(), nullable=True))
    op.add_column("users", sa.Column("max_bytes", sa.BigInteger(), nullable=True))
    op.create_table(
        "invites",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("token_sha256", sa.String(length=64), nullable=False),
        sa.Column("note", sa.String(length=200), nullable=True),
        sa.Column("created_by", sa.String(length=36), nullable=False),
        sa.Column("created_at", _TIME, nullable=False),
        sa.Column("expires_at", _TIME, nullable=False),
        sa.Column("used_at", _TIME, nullable=True),
        sa.Column("used_by", sa.String(length=36), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_invites")),
        sa.UniqueConstraint("token_sha256", name=op.f("uq_invites_token_sha256")),
        sa.ForeignKeyConstraint(
            ["created_by"], ["users.id"], name=op.f("fk_invites_created_by"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["used_by"], ["users.id"], name=op.f("fk_invites_used_by"), ondelete="SET NULL"
        ),
    )
    op.create_index(op.f("ix_invites_created_at_id"), "invites", ["created_at", "id"])


def downgrade() -> None:
    op.drop_table("invites")
    op.drop_column("users", "max_bytes")
    op.drop_column("users", "max_models")
