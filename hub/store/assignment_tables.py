"""Whose work a case is: teams, who is at the desk, what was given to whom, notes among colleagues, own views."""

from sqlalchemy import BigInteger, Boolean, Column, ForeignKey, Index, LargeBinary, Table, Text, text

from hub.store.columns import metadata, row_id
from hub.store.work_tables import cases, users

# A queue of its own: which cases come to it, and who works on them.
teams = Table(
    "teams",
    metadata,
    row_id(),
    Column("name", Text, nullable=False, unique=True),
    # JSON lists; empty: any. Malls by name, hub.desk.worklist.rows.KindGroup, languages as ISO 639-1
    Column("malls", Text, nullable=False),
    Column("kinds", Text, nullable=False),
    Column("languages", Text, nullable=False),
    # of routing.chain.Matter
    Column("matters", Text, nullable=False, server_default=text("'[]'")),
    # cases are dealt out to its members who are there
    Column("is_dealt", Boolean, nullable=False),
    Column("created_at", BigInteger, nullable=False),
)

team_members = Table(
    "team_members",
    metadata,
    Column("team_id", ForeignKey(teams.c.id, ondelete="CASCADE"), primary_key=True),
    Column("user_id", ForeignKey(users.c.id, ondelete="CASCADE"), primary_key=True),
    # when this member was last dealt a case: of equals the one who waited longest is next
    Column("dealt_at", BigInteger, nullable=False, server_default=text("0")),
    Index("ix_team_members_user_id", "user_id"),
)

# Who has the desk open. A row older than a minute or two is nobody.
presence = Table(
    "presence",
    metadata,
    Column("user_id", ForeignKey(users.c.id, ondelete="CASCADE"), primary_key=True),
    Column("seen_at", BigInteger, nullable=False),
    # says so: is dealt nothing
    Column("is_away", Boolean, nullable=False),
)

# Who gave a case to whom, and who laid it aside. Rows are added, never changed.
case_moves = Table(
    "case_moves",
    metadata,
    row_id(),
    Column("case_id", ForeignKey(cases.c.id, ondelete="CASCADE"), nullable=False),
    # hub.desk.worklist.moves.Move
    Column("move", Text, nullable=False),
    # null: dealt by the hub
    Column("by_id", BigInteger),
    Column("at", BigInteger, nullable=False),
    Column("to_id", BigInteger),
    Column("to_team_id", BigInteger),
    # of a snooze
    Column("until_at", BigInteger),
    Column("note_sealed", LargeBinary),
    Index("ix_case_moves_case_id", "case_id"),
)

# Said among colleagues, never to a customer or a mall.
case_notes = Table(
    "case_notes",
    metadata,
    row_id(),
    Column("case_id", ForeignKey(cases.c.id, ondelete="CASCADE"), nullable=False),
    Column("text_sealed", LargeBinary, nullable=False),
    Column("by_id", BigInteger),
    Column("at", BigInteger, nullable=False),
    # chosen by a form: the same form sent twice notes once
    Column("token", Text, unique=True),
    Index("ix_case_notes_case_id", "case_id"),
)

# "@login" in a note: in that colleague's list until they have opened the case.
mentions = Table(
    "mentions",
    metadata,
    Column("note_id", ForeignKey(case_notes.c.id, ondelete="CASCADE"), primary_key=True),
    Column("user_id", ForeignKey(users.c.id, ondelete="CASCADE"), primary_key=True),
    Column("case_id", ForeignKey(cases.c.id, ondelete="CASCADE"), nullable=False),
    Column("seen_at", BigInteger),
    Index(
        "ix_mentions_unseen",
        "user_id",
        "case_id",
        sqlite_where=text("seen_at IS NULL"),
        postgresql_where=text("seen_at IS NULL"),
    ),
    Index("ix_mentions_case_id", "case_id"),
)

# When somebody last looked at a case: what changed since is new to them.
case_seen = Table(
    "case_seen",
    metadata,
    Column("case_id", ForeignKey(cases.c.id, ondelete="CASCADE"), primary_key=True),
    Column("user_id", ForeignKey(users.c.id, ondelete="CASCADE"), primary_key=True),
    Column("seen_at", BigInteger, nullable=False),
)

# A list that somebody has given a name; the filters stand in it as they stand in the address.
saved_views = Table(
    "saved_views",
    metadata,
    row_id(),
    Column("owner_id", ForeignKey(users.c.id, ondelete="CASCADE"), nullable=False),
    Column("name", Text, nullable=False),
    Column("query", Text, nullable=False),
    Column("is_shared", Boolean, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Index("ix_saved_views_owner_id", "owner_id"),
)
