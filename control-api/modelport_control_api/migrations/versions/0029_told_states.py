"""What was last told of each model's state."""

import sqlalchemy as sa
from alembic import op

revision = "0029_told_states"
down_revision = "0028_counts_of_rollouts"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "told_states",
        sa.Column("model_id", sa.String(length=63), nullable=False),
        sa.Column("status", sa.String(length=10), nullable=False),
        sa.Column("version", sa.String(length=63), nullable=False),
        sa.Column("changes", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["model_id"], ["models.id"], name=op.f("fk_told_states_model_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("model_id", name=op.f("pk_told_states")),
    )
    # Else each model of before would be reported as ready at once.
    op.execute(
        "INSERT INTO told_states (model_id, status, version, changes) SELECT id, 'untold', '', 0 FROM models"
    )


def downgrade() -> None:
    op.drop_table("told_states")
