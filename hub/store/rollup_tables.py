"""Counts kept beside the events they count, their checks, and the versions of the tree of reasons."""

from sqlalchemy import BigInteger, Column, ForeignKey, Index, Integer, Table, Text

from hub.store.columns import metadata, row_id
from hub.store.mall_tables import shops

#: of a call, what is counted; the same names as the figures of hub.stats
CALL_FIGURES = (
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

# Written inquiries by the time they were asked. ``unit``: 1, an hour; 24, a day of Korea and Japan.
inquiry_counts = Table(
    "inquiry_counts",
    metadata,
    Column("unit", Integer, primary_key=True, autoincrement=False),
    Column("starts_at", BigInteger, primary_key=True, autoincrement=False),
    Column("shop_id", ForeignKey(shops.c.id, ondelete="CASCADE"), primary_key=True),
    Column("kind", Text, primary_key=True),
    Column("number", Integer, nullable=False),
    Index("ix_inquiry_counts_shop_id", "shop_id"),
)

# Ended calls by the time they entered; '' stands for no mall or line, as a key is never null.
call_counts = Table(
    "call_counts",
    metadata,
    Column("unit", Integer, primary_key=True, autoincrement=False),
    Column("starts_at", BigInteger, primary_key=True, autoincrement=False),
    Column("mall", Text, primary_key=True),
    Column("line", Text, primary_key=True),
    Column("handling_line", Text, primary_key=True),
    *(Column(name, Integer, nullable=False) for name in CALL_FIGURES),
)

# What was counted anew and found to differ; JSON of the first differences, which were mended at once.
count_checks = Table(
    "count_checks",
    metadata,
    row_id(),
    Column("at", BigInteger, nullable=False),
    # night | hand
    Column("started_by", Text, nullable=False),
    Column("events", BigInteger, nullable=False),
    Column("differences", Integer, nullable=False),
    Column("details", Text, nullable=False),
    Index("ix_count_checks_at_id", "at", "id"),
)

# A day whose figures had been complete and changed afterwards: an event came late or was corrected.
count_changes = Table(
    "count_changes",
    metadata,
    row_id(),
    Column("at", BigInteger, nullable=False),
    # inquiries | calls
    Column("source", Text, nullable=False),
    Column("starts_at", BigInteger, nullable=False),
    # a shop's name, or a mall's line
    Column("what", Text, nullable=False),
    Column("change", Integer, nullable=False),
    Index("ix_count_changes_at_id", "at", "id"),
)

# Why customers get in touch. Rows are added, never changed; the newest version is in force.
reason_trees = Table(
    "reason_trees",
    metadata,
    Column("version", Integer, primary_key=True, autoincrement=False),
    # TOML
    Column("body", Text, nullable=False),
    Column("note", Text, nullable=False),
    # null: the command line
    Column("author_id", BigInteger),
    Column("created_at", BigInteger, nullable=False),
    # what came before it keeps the reasons that it had; null: it names all of the past
    Column("valid_from", BigInteger),
)
