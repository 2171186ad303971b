"""questions that a mall does not show any more: looked for, missing, vanished"""

import sqlalchemy as sa
from alembic import op

revision = "0027"
down_revision = "0026"
branch_labels = None
depends_on = None

_COLUMNS = ("sought_at", "missing_since", "vanished_at")


def upgrade() -> None:
    for name in _COLUMNS:
        op.add_column("inquiries", sa.Column(name, sa.BigInteger(), nullable=True))


def downgrade() -> None:
    for name in _COLUMNS:
        op.drop_column("inquiries", name)
