"""teams, who is there, what was given to whom, notes and mentions, own views"""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0012"
branch_labels = None
depends_on = None

_GIVEN_TEAM = sa.text("team_id IS NOT NULL")
_GIVEN_SNOOZE = sa.text("snoozed_until IS NOT NULL")
_UNSEEN = sa.text("seen_at IS NULL")


def _id() -> "sa.Column[int]":
    return sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False)


def _time(name: str, *, nullable: bool = True) -> "sa.Column[int]":
    return sa.Column(name, sa.BigInteger(), nullable=nullable)


def _of(table: str, column: str, parent: str) -> sa.ForeignKeyConstraint:
    name = op.f(f"fk_{table}_{column}")
    return sa.ForeignKeyConstraint([column], [f"{parent}.id"], name=name, ondelete="CASCADE")


def _key(table: str, *columns: str) -> sa.PrimaryKeyConstraint:
    return sa.PrimaryKeyConstraint(*columns, name=op.f(f"pk_{table}"))


def upgrade() -> None:
    for column in ("team_id", "snoozed_at", "snoozed_until"):
        op.add_column("cases", _time(column))
    op.create_index(
        "ix_cases_team_id_is_open_due_at_id",
        "cases",
        ["team_id", "is_open", "due_at", "id"],
        sqlite_where=_GIVEN_TEAM,
        postgresql_where=_GIVEN_TEAM,
    )
    op.create_index(
        "ix_cases_snoozed_until",
        "cases",
        ["snoozed_until"],
        sqlite_where=_GIVEN_SNOOZE,
        postgresql_where=_GIVEN_SNOOZE,
    )
    op.create_table(
        "teams",
        _id(),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("malls", sa.Text(), nullable=False),
        sa.Column("kinds", sa.Text(), nullable=False),
        sa.Column("languages", sa.Text(), nullable=False),
        sa.Column("is_dealt", sa.Boolean(), nullable=False),
        _time("created_at", nullable=False),
        _key("teams", "id"),
        sa.UniqueConstraint("name", name=op.f("uq_teams_name")),
    )
    op.create_table(
        "team_members",
        sa.Column("team_id", sa.BigInteger(), nullable=False),
        sa.Column("user_id", sa.BigInteger(), nullable=False),
        sa.Column("dealt_at", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        _of("team_members", "team_id", "teams"),
        _of("team_members", "user_id", "users"),
        _key("team_members", "team_id", "user_id"),
    )
    op.create_index("ix_team_members_user_id", "team_members", ["user_id"])
    op.create_table(
        "presence",
        sa.Column("user_id", sa.BigInteger(), nullable=False),
        _time("seen_at", nullable=False),
        sa.Column("is_away", sa.Boolean(), nullable=False),
        _of("presence", "user_id", "users"),
        _key("presence", "user_id"),
    )
    op.create_table(
        "case_moves",
        _id(),
        sa.Column("case_id", sa.BigInteger(), nullable=False),
        sa.Column("move", sa.Text(), nullable=False),
        sa.Column("by_id", sa.BigInteger(), nullable=True),
        _time("at", nullable=False),
        sa.Column("to_id", sa.BigInteger(), nullable=True),
        sa.Column("to_team_id", sa.BigInteger(), nullable=True),
        _time("until_at"),
        sa.Column("note_sealed", sa.LargeBinary(), nullable=True),
        _of("case_moves", "case_id", "cases"),
        _key("case_moves", "id"),
    )
    op.create_index("ix_case_moves_case_id", "case_moves", ["case_id"])
    op.create_table(
        "case_notes",
        _id(),
        sa.Column("case_id", sa.BigInteger(), nullable=False),
        sa.Column("text_sealed", sa.LargeBinary(), nullable=False),
        sa.Column("by_id", sa.BigInteger(), nullable=True),
        _time("at", nullable=False),
        sa.Column("token", sa.Text(), nullable=True),
        _of("case_notes", "case_id", "cases"),
        _key("case_notes", "id"),
        sa.UniqueConstraint("token", name=op.f("uq_case_notes_token")),
    )
    op.create_index("ix_case_notes_case_id", "case_notes", ["case_id"])
    op.create_table(
        "mentions",
        sa.Column("note_id", sa.BigInteger(), nullable=False),
        sa.Column("user_id", sa.BigInteger(), nullable=False),
        sa.Column("case_id", sa.BigInteger(), nullable=False),
        _time("seen_at"),
        _of("mentions", "note_id", "case_notes"),
        _of("mentions", "user_id", "users"),
        _of("mentions", "case_id", "cases"),
        _key("mentions", "note_id", "user_id"),
    )
    op.create_index(
        "ix_mentions_unseen", "mentions", ["user_id", "case_id"], sqlite_where=_UNSEEN, postgresql_where=_UNSEEN
    )
    op.create_index("ix_mentions_case_id", "mentions", ["case_id"])
    op.create_table(
        "case_seen",
        sa.Column("case_id", sa.BigInteger(), nullable=False),
        sa.Column("user_id", sa.BigInteger(), nullable=False),
        _time("seen_at", nullable=False),
        _of("case_seen", "case_id", "cases"),
        _of("case_seen", "user_id", "users"),
        _key("case_seen", "case_id", "user_id"),
    )
    op.create_table(
        "saved_views",
        _id(),
        sa.Column("owner_id", sa.BigInteger(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("query", sa.Text(), nullable=False),
        sa.Column("is_shared", sa.Boolean(), nullable=False),
        _time("created_at", nullable=False),
        _of("saved_views", "owner_id", "users"),
        _key("saved_views", "id"),
    )
    op.create_index("ix_saved_views_owner_id", "saved_views", ["owner_id"])


def downgrade() -> None:
    for table in (
        "saved_views",
        "case_seen",
        "mentions",
        "case_notes",
        "case_moves",
        "presence",
        "team_members",
        "teams",
    ):
        op.drop_table(table)
    op.drop_index("ix_cases_snoozed_until", "cases")
    op.drop_index("ix_cases_team_id_is_open_due_at_id", "cases")
    for column in ("snoozed_until", "snoozed_at", "team_id"):
        op.drop_column("cases", column)
