"""outbox"""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("actions", schema=None) as batch_op:
        batch_op.add_column(sa.Column("letter_sealed", sa.LargeBinary(), nullable=True))
        batch_op.add_column(sa.Column("started_at", sa.BigInteger(), nullable=True))
        batch_op.add_column(sa.Column("started", sa.Integer(), server_default=sa.text("0"), nullable=False))
        batch_op.add_column(sa.Column("look_at", sa.BigInteger(), nullable=True))
        batch_op.add_column(sa.Column("looks", sa.Integer(), server_default=sa.text("0"), nullable=False))
        batch_op.create_index(
            "ix_actions_letter_shop_id",
            ["shop_id", "id"],
            unique=False,
            sqlite_where=sa.text("letter_sealed IS NOT NULL"),
            postgresql_where=sa.text("letter_sealed IS NOT NULL"),
        )
    # What broke off before there was an outbox can neither be sent nor looked at: a person must.
    op.execute(
        "UPDATE actions SET outcome = 'unknown', finished_at = created_at, "
        "error_message = 'the process ended before the outcome was stored' "
        "WHERE outcome = 'pending' AND finished_at IS NULL"
    )


def downgrade() -> None:
    with op.batch_alter_table("actions", schema=None) as batch_op:
        batch_op.drop_index("ix_actions_letter_shop_id")
        batch_op.drop_column("looks")
        batch_op.drop_column("look_at")
        batch_op.drop_column("started")
        batch_op.drop_column("started_at")
        batch_op.drop_column("letter_sealed")
