"""customers over all malls, cheat-sheets, checklists of new shops"""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "customer_identities",
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("phone_idx", sa.LargeBinary(), nullable=False),
        sa.Column("email_idx", sa.LargeBinary(), nullable=False),
        sa.Column("name_idx", sa.LargeBinary(), nullable=False),
        sa.Column("person_id", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_customer_identities")),
        sa.UniqueConstraint(
            "phone_idx", "email_idx", "name_idx", name=op.f("uq_customer_identities_phone_idx_email_idx_name_idx")
        ),
    )
    op.create_index("ix_customer_identities_email_idx", "customer_identities", ["email_idx"], unique=False)
    op.create_index("ix_customer_identities_person_id", "customer_identities", ["person_id"], unique=False)
    op.create_table(
        "customer_links",
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("first_id", sa.BigInteger(), nullable=False),
        sa.Column("second_id", sa.BigInteger(), nullable=False),
        sa.Column("verdict", sa.Text(), nullable=False),
        sa.Column("decided_by", sa.BigInteger(), nullable=True),
        sa.Column("decided_at", sa.BigInteger(), nullable=False),
        sa.Column("undone_by", sa.BigInteger(), nullable=True),
        sa.Column("undone_at", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(
            ["first_id"], ["customer_identities.id"], name=op.f("fk_customer_links_first_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["second_id"], ["customer_identities.id"], name=op.f("fk_customer_links_second_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_customer_links")),
    )
    op.create_index(
        "uq_customer_links_pair",
        "customer_links",
        ["first_id", "second_id"],
        unique=True,
        sqlite_where=sa.text("undone_at IS NULL"),
        postgresql_where=sa.text("undone_at IS NULL"),
    )
    op.create_index("ix_customer_links_second_id", "customer_links", ["second_id"], unique=False)
    op.create_table(
        "customer_marks",
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("identity_id", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("reason_sealed", sa.LargeBinary(), nullable=False),
        sa.Column("marked_by", sa.BigInteger(), nullable=True),
        sa.Column("marked_at", sa.BigInteger(), nullable=False),
        sa.Column("until_at", sa.BigInteger(), nullable=True),
        sa.Column("cleared_by", sa.BigInteger(), nullable=True),
        sa.Column("cleared_at", sa.BigInteger(), nullable=True),
        sa.Column("cleared_reason_sealed", sa.LargeBinary(), nullable=True),
        sa.ForeignKeyConstraint(
            ["identity_id"], ["customer_identities.id"], name=op.f("fk_customer_marks_identity_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_customer_marks")),
    )
    op.create_index("ix_customer_marks_identity_id", "customer_marks", ["identity_id"], unique=False)
    op.create_index("ix_compensations_shop_id_order_no", "compensations", ["shop_id", "order_no"], unique=False)
    op.create_table(
        "cheat_sheets",
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("shop_id", sa.BigInteger(), nullable=False),
        sa.Column("locale", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("author_id", sa.BigInteger(), nullable=True),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["shop_id"], ["shops.id"], name=op.f("fk_cheat_sheets_shop_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_cheat_sheets")),
        sa.UniqueConstraint("shop_id", "locale", "version", name=op.f("uq_cheat_sheets_shop_id_locale_version")),
    )
    op.create_table(
        "opening_answers",
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("shop_id", sa.BigInteger(), nullable=False),
        sa.Column("item", sa.Text(), nullable=False),
        sa.Column("answer", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("answered_by", sa.BigInteger(), nullable=True),
        sa.Column("answered_at", sa.BigInteger(), nullable=False),
        sa.Column("undone_by", sa.BigInteger(), nullable=True),
        sa.Column("undone_at", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["shop_id"], ["shops.id"], name=op.f("fk_opening_answers_shop_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_opening_answers")),
    )
    op.create_index(
        "uq_opening_answers_shop_id_item",
        "opening_answers",
        ["shop_id", "item"],
        unique=True,
        sqlite_where=sa.text("undone_at IS NULL"),
        postgresql_where=sa.text("undone_at IS NULL"),
    )


def downgrade() -> None:
    op.drop_index(
        "uq_opening_answers_shop_id_item",
        table_name="opening_answers",
        sqlite_where=sa.text("undone_at IS NULL"),
        postgresql_where=sa.text("undone_at IS NULL"),
    )
    op.drop_table("opening_answers")
    op.drop_table("cheat_sheets")
    op.drop_index("ix_compensations_shop_id_order_no", table_name="compensations")
    op.drop_index("ix_customer_marks_identity_id", table_name="customer_marks")
    op.drop_table("customer_marks")
    op.drop_index("ix_customer_links_second_id", table_name="customer_links")
    op.drop_index(
        "uq_customer_links_pair",
        table_name="customer_links",
        sqlite_where=sa.text("undone_at IS NULL"),
        postgresql_where=sa.text("undone_at IS NULL"),
    )
    op.drop_table("customer_links")
    op.drop_index("ix_customer_identities_person_id", table_name="customer_identities")
    op.drop_index("ix_customer_identities_email_idx", table_name="customer_identities")
    op.drop_table("customer_identities")
