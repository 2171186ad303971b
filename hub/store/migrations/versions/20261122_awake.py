"""an index of all that is counted of open cases that nobody laid aside"""

import sqlalchemy as sa
from alembic import op

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None

_COLUMNS = ("shop_id", "kind", "team_id", "assignee_id", "due_at", "state")


def upgrade() -> None:
    op.create_index(
        "ix_cases_awake",
        "cases",
        _COLUMNS,
        sqlite_where=sa.text("is_open = 1 AND snoozed_until IS NULL"),
        postgresql_where=sa.text("is_open AND snoozed_until IS NULL"),
    )


def downgrade() -> None:
    op.drop_index("ix_cases_awake", table_name="cases")
