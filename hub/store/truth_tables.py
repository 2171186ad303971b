"""How far the store can be trusted, and what many cases have in common."""

from sqlalchemy import BigInteger, Column, Float, ForeignKey, Index, Integer, Table, Text, text

from hub.store.columns import metadata
from hub.store.mall_tables import shops
from hub.store.work_tables import cases

# One day of a feed as the mall counts it, beside what stands here of that day.
reconciliations = Table(
    "reconciliations",
    metadata,
    Column("shop_id", ForeignKey(shops.c.id, ondelete="CASCADE"), primary_key=True),
    Column("feed", Text, primary_key=True),
    # ISO date in the mall's zone
    Column("day", Text, primary_key=True),
    Column("listed", Integer, nullable=False),
    Column("held", Integer, nullable=False),
    Column("checked_at", BigInteger, nullable=False),
)

# Whether runs by schedule call a shop's mall at all: opened by outages in a row, closed by one success.
breakers = Table(
    "breakers",
    metadata,
    Column("shop_id", ForeignKey(shops.c.id, ondelete="CASCADE"), primary_key=True),
    # outages since the last success
    Column("failures", Integer, nullable=False),
    Column("kind", Text, nullable=False),
    Column("failing_since", BigInteger, nullable=False),
    # null while closed
    Column("opened_at", BigInteger),
    # from here on one run may try again
    Column("probe_at", BigInteger),
)

# The mall's own long quota as its headers told it last: the share that was used up.
call_quotas = Table(
    "call_quotas",
    metadata,
    Column("shop_id", ForeignKey(shops.c.id, ondelete="CASCADE"), primary_key=True),
    Column("used_share", Float, nullable=False),
    Column("told_at", BigInteger, nullable=False),
)

# The same product with the same reason again and again, over all shops: one matter of many cases.
incidents = Table(
    "incidents",
    metadata,
    Column("id", BigInteger, primary_key=True, autoincrement=False),
    # product and reason; open once at a time
    Column("key", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("product_name", Text),
    Column("first_at", BigInteger, nullable=False),
    Column("last_at", BigInteger, nullable=False),
    # its cases so far, and how many usually come in the time of one window
    Column("count", Integer, nullable=False),
    Column("usual", Float, nullable=False),
    Column("raised_at", BigInteger, nullable=False),
    # when it had been quiet long enough
    Column("closed_at", BigInteger),
    Index(
        "uq_incidents_key_open",
        "key",
        unique=True,
        sqlite_where=text("closed_at IS NULL"),
        postgresql_where=text("closed_at IS NULL"),
    ),
    Index("ix_incidents_last_at_id", "last_at", "id"),
)

incident_cases = Table(
    "incident_cases",
    metadata,
    Column("incident_id", ForeignKey(incidents.c.id, ondelete="CASCADE"), primary_key=True),
    Column("case_id", ForeignKey(cases.c.id, ondelete="CASCADE"), primary_key=True),
    Index("ix_incident_cases_case_id", "case_id"),
)
