"""indexes for what each page of a case asks: what a promise was before it was changed, the newest import of modes"""

from alembic import op

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index("ix_promises_changed_to_id", "promises", ["changed_to_id"])
    op.create_index("ix_product_modes_imported_at", "product_modes", ["imported_at"])


def downgrade() -> None:
    op.drop_index("ix_product_modes_imported_at", table_name="product_modes")
    op.drop_index("ix_promises_changed_to_id", table_name="promises")
