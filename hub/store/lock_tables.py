"""Who is working on a case right now, and what they have half written."""

from sqlalchemy import BigInteger, Column, ForeignKey, Index, LargeBinary, Table, Text, UniqueConstraint

from hub.store.columns import metadata, row_id
from hub.store.work_tables import cases

# One row for each case that somebody has open. Over at ``until_at``: then it stands there and holds nobody up.
case_locks = Table(
    "case_locks",
    metadata,
    Column("case_id", ForeignKey(cases.c.id, ondelete="CASCADE"), primary_key=True, autoincrement=False),
    Column("user_id", BigInteger, nullable=False),
    # hub.desk.worklist.locks.How
    Column("how", Text, nullable=False),
    Column("taken_at", BigInteger, nullable=False),
    Column("until_at", BigInteger, nullable=False),
    # the page that showed life last: the one whose leaving gives the case back
    Column("screen", Text),
    # who had it before, where it was handed over
    Column("taken_from", BigInteger),
    # who wants it, since when; and who was told to wait
    Column("asked_by", BigInteger),
    Column("asked_at", BigInteger),
    Column("refused_to", BigInteger),
)

# What somebody is writing to a customer, of each of their pages: saved while they type, gone when it is sent.
reply_drafts = Table(
    "reply_drafts",
    metadata,
    row_id(),
    Column("case_id", ForeignKey(cases.c.id, ondelete="CASCADE"), nullable=False),
    Column("user_id", BigInteger, nullable=False),
    Column("screen", Text, nullable=False),
    Column("text_sealed", LargeBinary, nullable=False),
    # the template it began with
    Column("template_id", Text),
    Column("saved_at", BigInteger, nullable=False),
    UniqueConstraint("case_id", "user_id", "screen"),
    Index("ix_reply_drafts_user_id_saved_at", "user_id", "saved_at"),
)
