"""what malls count, breakers, quotas, incidents"""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("feed_states", schema=None) as batch_op:
        batch_op.add_column(sa.Column("listed", sa.Integer(), nullable=True))
        batch_op.add_column(sa.Column("listed_held", sa.Integer(), nullable=True))
        batch_op.add_column(sa.Column("listed_at", sa.BigInteger(), nullable=True))
    op.create_table(
        "reconciliations",
        sa.Column("shop_id", sa.BigInteger(), nullable=False),
        sa.Column("feed", sa.Text(), nullable=False),
        sa.Column("day", sa.Text(), nullable=False),
        sa.Column("listed", sa.Integer(), nullable=False),
        sa.Column("held", sa.Integer(), nullable=False),
        sa.Column("checked_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["shop_id"], ["shops.id"], name=op.f("fk_reconciliations_shop_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("shop_id", "feed", "day", name=op.f("pk_reconciliations")),
    )
    op.create_table(
        "breakers",
        sa.Column("shop_id", sa.BigInteger(), nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("failing_since", sa.BigInteger(), nullable=False),
        sa.Column("opened_at", sa.BigInteger(), nullable=True),
        sa.Column("probe_at", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["shop_id"], ["shops.id"], name=op.f("fk_breakers_shop_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("shop_id", name=op.f("pk_breakers")),
    )
    op.create_table(
        "call_quotas",
        sa.Column("shop_id", sa.BigInteger(), nullable=False),
        sa.Column("used_share", sa.Float(), nullable=False),
        sa.Column("told_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["shop_id"], ["shops.id"], name=op.f("fk_call_quotas_shop_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("shop_id", name=op.f("pk_call_quotas")),
    )
    op.create_table(
        "incidents",
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("product_name", sa.Text(), nullable=True),
        sa.Column("first_at", sa.BigInteger(), nullable=False),
        sa.Column("last_at", sa.BigInteger(), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.Column("usual", sa.Float(), nullable=False),
        sa.Column("raised_at", sa.BigInteger(), nullable=False),
        sa.Column("closed_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_incidents")),
    )
    is_open = sa.text("closed_at IS NULL")
    with op.batch_alter_table("incidents", schema=None) as batch_op:
        batch_op.create_index(
            "uq_incidents_key_open", ["key"], unique=True, sqlite_where=is_open, postgresql_where=is_open
        )
        batch_op.create_index("ix_incidents_last_at_id", ["last_at", "id"], unique=False)
    op.create_table(
        "incident_cases",
        sa.Column("incident_id", sa.BigInteger(), nullable=False),
        sa.Column("case_id", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["incident_id"], ["incidents.id"], name=op.f("fk_incident_cases_incident_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["case_id"], ["cases.id"], name=op.f("fk_incident_cases_case_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("incident_id", "case_id", name=op.f("pk_incident_cases")),
    )
    with op.batch_alter_table("incident_cases", schema=None) as batch_op:
        batch_op.create_index("ix_incident_cases_case_id", ["case_id"], unique=False)


def downgrade() -> None:
    op.drop_table("incident_cases")
    op.drop_table("incidents")
    op.drop_table("call_quotas")
    op.drop_table("breakers")
    op.drop_table("reconciliations")
    with op.batch_alter_table("feed_states", schema=None) as batch_op:
        batch_op.drop_column("listed_at")
        batch_op.drop_column("listed_held")
        batch_op.drop_column("listed")
