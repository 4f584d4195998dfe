"""References of versions, counts of live rows, and what was found; thresholds of a model."""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0006_drift"
down_revision = "0005_history"
branch_labels = None
depends_on = None

_TIME = sa.DateTime(timezone=True)
_THRESHOLDS: tuple[tuple[str, sa.types.TypeEngine[Any]], ...] = (
    ("drift_psi_threshold", sa.Double()),
    ("drift_alpha", sa.Double()),
    ("drift_window_rows", sa.Integer()),
)


def upgrade() -> None:
    op.create_table(
        "drift_references",
        sa.Column("model_id", sa.String(length=63), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("rows", sa.Integer(), nullable=False),
        sa.Column("profile", sa.JSON(), nullable=False),
        sa.Column("created_at", _TIME, nullable=False),
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.ForeignKeyConstraint(
            ["model_id", "number"],
            ["model_versions.model_id", "model_versions.number"],
            name=op.f("fk_drift_references_model_id_number"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_drift_references")),
        sa.UniqueConstraint("model_id", "number", name=op.f("uq_drift_references_model_id_number")),
    )
    op.create_table(
        "drift_counts",
        _reference(),
        sa.Column("minute", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("rows", sa.Integer(), nullable=False),
        sa.Column("counts", sa.JSON(), nullable=False),
        sa.Column("predictions", sa.JSON(), nullable=False),
        _of_reference("drift_counts"),
        sa.PrimaryKeyConstraint("reference_id", "minute", name=op.f("pk_drift_counts")),
    )
    op.create_table(
        "drift_states",
        _reference(),
        sa.Column("model_id", sa.String(length=63), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("since", _TIME, nullable=False),
        sa.Column("rows", sa.Integer(), nullable=False),
        sa.Column("wanted_rows", sa.Integer(), nullable=False),
        sa.Column("window_start", sa.BigInteger(), nullable=True),
        sa.Column("window_end", sa.BigInteger(), nullable=True),
        sa.Column("clean_from", sa.BigInteger(), nullable=True),
        sa.Column("verdicts", sa.JSON(), nullable=False),
        sa.Column("pending", sa.Boolean(), nullable=False),
        _of_reference("drift_states"),
        sa.PrimaryKeyConstraint("reference_id", name=op.f("pk_drift_states")),
        sa.UniqueConstraint("model_id", "number", name=op.f("uq_drift_states_model_id_number")),
    )
    op.create_index(op.f("ix_drift_states_pending"), "drift_states", ["pending"])
    for name, kind in _THRESHOLDS:
        op.add_column("models", sa.Column(name, kind, nullable=True))


def downgrade() -> None:
    for name, _ in _THRESHOLDS:
        op.drop_column("models", name)
    op.drop_table("drift_states")
    op.drop_table("drift_counts")
    op.drop_table("drift_references")


def _reference() -> sa.Column[str]:
    return sa.Column("reference_id", sa.String(length=36), nullable=False)


def _of_reference(table: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        ["reference_id"],
        ["drift_references.id"],
        name=op.f(f"fk_{table}_reference_id"),
        ondelete="CASCADE",
    )
