"""What a calibration says of each feature's cells."""

import sqlalchemy as sa
from alembic import op

revision = "0035_effects"
down_revision = "0034_quality_gauges"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("calibrations") as table:
        table.add_column(sa.Column("effects", sa.JSON(), nullable=False, server_default="{}"))
        table.add_column(sa.Column("reference_id", sa.String(length=36), nullable=True))


def downgrade() -> None:
    with op.batch_alter_table("calibrations") as table:
        table.drop_column("reference_id")
        table.drop_column("effects")
