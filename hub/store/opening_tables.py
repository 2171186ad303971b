"""What must be settled before a shop's calls and questions are taken, and the sheet that agents look up then."""

from sqlalchemy import BigInteger, Column, ForeignKey, Index, Integer, Table, Text, UniqueConstraint, text

from hub.store.columns import metadata, row_id
from hub.store.mall_tables import shops

# How this shop's mall works, in the house's own words. Versions are added, never changed.
cheat_sheets = Table(
    "cheat_sheets",
    metadata,
    row_id(),
    Column("shop_id", ForeignKey(shops.c.id, ondelete="CASCADE"), nullable=False),
    # ko | en
    Column("locale", Text, nullable=False),
    # 1, 2, 3 … for each shop and locale
    Column("version", Integer, nullable=False),
    # markdown; '' takes the sheet back to what the hub itself knows
    Column("body", Text, nullable=False),
    # why, in the author's words
    Column("note", Text, nullable=False),
    Column("author_id", BigInteger),
    Column("created_at", BigInteger, nullable=False),
    UniqueConstraint("shop_id", "locale", "version"),
)

# What a supervisor said of one item of the checklist. Taken back, not deleted.
opening_answers = Table(
    "opening_answers",
    metadata,
    row_id(),
    Column("shop_id", ForeignKey(shops.c.id, ondelete="CASCADE"), nullable=False),
    # hub.desk.shops.openings.Item
    Column("item", Text, nullable=False),
    # ticked | waived
    Column("answer", Text, nullable=False),
    # of a waived one
    Column("reason", Text),
    Column("answered_by", BigInteger),
    Column("answered_at", BigInteger, nullable=False),
    Column("undone_by", BigInteger),
    Column("undone_at", BigInteger),
    Index(
        "uq_opening_answers_shop_id_item",
        "shop_id",
        "item",
        unique=True,
        sqlite_where=text("undone_at IS NULL"),
        postgresql_where=text("undone_at IS NULL"),
    ),
)
