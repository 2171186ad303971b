"""counts"""

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0019"
branch_labels = None
depends_on = None

_CALL_FIGURES = (
    "offered",
    "answered",
    "abandoned_notice",
    "abandoned_menu",
    "abandoned_queue",
    "abandoned_short",
    "left_queue",
    "not_joined",
    "closed",
    "ivr_giveup",
    "callback_requested",
    "transferred_out",
    "unknown_did",
    "system_lost",
)
#: hours, and days that begin at midnight in Seoul
_UNITS = ((1, 3_600_000, 0), (24, 86_400_000, 32_400_000))


def upgrade() -> None:
    op.create_table(
        "inquiry_counts",
        sa.Column("unit", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("starts_at", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("shop_id", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["shop_id"], ["shops.id"], name=op.f("fk_inquiry_counts_shop_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("unit", "starts_at", "shop_id", "kind", name=op.f("pk_inquiry_counts")),
    )
    with op.batch_alter_table("inquiry_counts", schema=None) as batch_op:
        batch_op.create_index("ix_inquiry_counts_shop_id", ["shop_id"], unique=False)
    op.create_table(
        "call_counts",
        sa.Column("unit", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("starts_at", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("mall", sa.Text(), nullable=False),
        sa.Column("line", sa.Text(), nullable=False),
        sa.Column("handling_line", sa.Text(), nullable=False),
        *(sa.Column(name, sa.Integer(), nullable=False) for name in _CALL_FIGURES),
        sa.PrimaryKeyConstraint("unit", "starts_at", "mall", "line", "handling_line", name=op.f("pk_call_counts")),
    )
    op.create_table(
        "count_checks",
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("started_by", sa.Text(), nullable=False),
        sa.Column("events", sa.BigInteger(), nullable=False),
        sa.Column("differences", sa.Integer(), nullable=False),
        sa.Column("details", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_count_checks")),
    )
    with op.batch_alter_table("count_checks", schema=None) as batch_op:
        batch_op.create_index("ix_count_checks_at_id", ["at", "id"], unique=False)
    op.create_table(
        "count_changes",
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("starts_at", sa.BigInteger(), nullable=False),
        sa.Column("what", sa.Text(), nullable=False),
        sa.Column("change", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_count_changes")),
    )
    with op.batch_alter_table("count_changes", schema=None) as batch_op:
        batch_op.create_index("ix_count_changes_at_id", ["at", "id"], unique=False)
    op.create_table(
        "reason_trees",
        sa.Column("version", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("author_id", sa.BigInteger(), nullable=True),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("version", name=op.f("pk_reason_trees")),
    )
    _fill()


def _fill() -> None:
    """What stands there already is counted once, a statement for each table and unit."""
    sums = ", ".join(f"SUM(CASE WHEN {_condition(name)} THEN 1 ELSE 0 END)" for name in _CALL_FIGURES)
    for unit, length, offset in _UNITS:
        asked = f"(asked_at + {offset}) / {length} * {length} - {offset}"
        op.execute(
            "INSERT INTO inquiry_counts (unit, starts_at, shop_id, kind, number) "  # noqa: S608  names and numbers of this file
            f"SELECT {unit}, {asked}, shop_id, kind, COUNT(*) FROM inquiries GROUP BY {asked}, shop_id, kind"
        )
        entered = f"(entered_at + {offset}) / {length} * {length} - {offset}"
        keys = f"{entered}, COALESCE(mall, ''), COALESCE(line, ''), COALESCE(handling_line, '')"
        op.execute(
            f"INSERT INTO call_counts (unit, starts_at, mall, line, handling_line, {', '.join(_CALL_FIGURES)}) "  # noqa: S608
            f"SELECT {unit}, {keys}, {sums} FROM calls WHERE result IS NOT NULL GROUP BY {keys}"
        )


def _condition(figure: str) -> str:
    flags = {
        "offered": "result IS NOT NULL",
        "abandoned_short": "is_short_abandon",
        "transferred_out": "is_transferred",
    }
    return flags.get(figure, f"result = '{figure}'")


def downgrade() -> None:
    for table in ("reason_trees", "count_changes", "count_checks", "call_counts", "inquiry_counts"):
        op.drop_table(table)
