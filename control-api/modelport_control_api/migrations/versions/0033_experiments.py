"""A/B tests: what was asked for, what was found, and how they ended."""

import sqlalchemy as sa
from alembic import op

revision = "0033_experiments"
down_revision = "0032_arms"
branch_labels = None
depends_on = None

_TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "experiments",
        sa.Column("model_id", sa.String(length=63), nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("arms", sa.JSON(), nullable=False),
        sa.Column("design", sa.JSON(), nullable=False),
        sa.Column("before", sa.JSON(), nullable=False),
        sa.Column("state", sa.String(length=15), nullable=False),
        sa.Column("winner", sa.String(length=63), nullable=True),
        sa.Column("promoted", sa.String(length=63), nullable=True),
        sa.Column("verdict", sa.Text(), nullable=False),
        sa.Column("evidence", sa.JSON(), nullable=True),
        sa.Column("looks", sa.JSON(), nullable=False),
        sa.Column("look_at", _TIME, nullable=False),
        sa.Column("created_by", sa.String(length=36), nullable=False),
        sa.Column("created_at", _TIME, nullable=False),
        sa.Column("started_at", _TIME, nullable=True),
        sa.Column("decided_at", _TIME, nullable=True),
        sa.Column("ended_at", _TIME, nullable=True),
        sa.ForeignKeyConstraint(
            ["model_id"], ["models.id"], name=op.f("fk_experiments_model_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("model_id", "number", name=op.f("pk_experiments")),
    )


def downgrade() -> None:
    op.drop_table("experiments")
