"""lines that were sold before they can be sent, and the day from which on they can be"""

import sqlalchemy as sa
from alembic import op

revision = "0029"
down_revision = "0025"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("order_lines", sa.Column("is_reserved", sa.Boolean(), nullable=True))
    op.add_column("order_lines", sa.Column("sendable_from", sa.BigInteger(), nullable=True))


def downgrade() -> None:
    op.drop_column("order_lines", "sendable_from")
    op.drop_column("order_lines", "is_reserved")
