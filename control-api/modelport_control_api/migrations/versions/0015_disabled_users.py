"""Users that are disabled, and links that set a password."""

import sqlalchemy as sa
from alembic import op

revision = "0015_disabled_users"
down_revision = "0014_compatible_with"
branch_labels = None
depends_on = None

_TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    # NULL: enabled. A control API of the release before writes rows during the rollout.
    op.add_column("users", sa.Column("disabled_at", _TIME, nullable=True))
    op.create_table(
        "password_links",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("user_id", sa.String(length=36), nullable=False),
        sa.Column("token_sha256", sa.String(length=64), nullable=False),
        sa.Column("created_by", sa.String(length=36), nullable=False),
        sa.Column("created_at", _TIME, nullable=False),
        sa.Column("expires_at", _TIME, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_password_links")),
        sa.UniqueConstraint("user_id", name=op.f("uq_password_links_user_id")),
        sa.UniqueConstraint("token_sha256", name=op.f("uq_password_links_token_sha256")),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name=op.f("fk_password_links_user_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["created_by"], ["users.id"], name=op.f("fk_password_links_created_by"), ondelete="CASCADE"
        ),
    )


def downgrade() -> None:
    op.drop_table("password_links")
    op.drop_column("users", "disabled_at")
