"""The usage ledger."""

import sqlalchemy as sa
from alembic import op

revision = "0004_usage"
down_revision = "0003_acceleration"
branch_labels = None
depends_on = None

_PERIODS = ("minute", "hour", "day")


def upgrade() -> None:
    op.create_table(
        "usage_batches",
        sa.Column("id", sa.String(36), nullable=False),
        sa.Column("gateway", sa.String(64), nullable=False),
        sa.Column("requests", sa.BigInteger(), nullable=False),
        sa.Column("dropped", sa.BigInteger(), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_usage_batches")),
    )
    op.create_index(op.f("ix_usage_batches_received_at"), "usage_batches", ["received_at"])
    lossy = sa.text("dropped > 0")
    op.create_index(
        op.f("ix_usage_batches_dropped"),
        "usage_batches",
        ["received_at"],
        sqlite_where=lossy,
        postgresql_where=lossy,
    )
    for period in _PERIODS:
        _create_requests(f"usage_requests_{period}")
        _create_totals(f"usage_totals_{period}")
    op.create_index(
        op.f("ix_usage_requests_day_reasons"),
        "usage_requests_day",
        ["model_id", "start", "status", "reason"],
        postgresql_include=["requests"],
    )


def downgrade() -> None:
    for period in _PERIODS:
        op.drop_table(f"usage_requests_{period}")
        op.drop_table(f"usage_totals_{period}")
    op.drop_table("usage_batches")


def _create_requests(table: str) -> None:
    what = ("caller_id", "api_key_id", "status", "reason", "cache")
    op.create_table(
        table,
        *_counted(),
        sa.Column("caller_id", sa.String(36), nullable=False),
        sa.Column("api_key_id", sa.String(36), nullable=False),
        sa.Column("status", sa.Integer(), nullable=False),
        sa.Column("reason", sa.String(63), nullable=False),
        sa.Column("cache", sa.String(10), nullable=False),
        sa.PrimaryKeyConstraint("model_id", "start", "version", *what, name=op.f(f"pk_{table}")),
    )
    op.create_index(op.f(f"ix_{table}_age"), table, [sa.text("(start + 0)")])


def _create_totals(table: str) -> None:
    counts = ("errors", "refused", "cache_hits", "cache_misses")
    op.create_table(
        table,
        *_counted(),
        *(sa.Column(name, sa.BigInteger(), nullable=False) for name in counts),
        sa.Column("latencies", sa.Text()),
        sa.PrimaryKeyConstraint("model_id", "start", "version", name=op.f(f"pk_{table}")),
    )
    op.create_index(op.f(f"ix_{table}_age"), table, [sa.text("(start + 0)")])


def _counted() -> list[sa.Column[object]]:
    return [
        sa.Column("model_id", sa.String(127), nullable=False),
        sa.Column("start", sa.BigInteger(), nullable=False),
        sa.Column("version", sa.String(63), nullable=False),
        sa.Column("requests", sa.BigInteger(), nullable=False),
    ]
