"""The index of what people search by parts of: names, products, what customers and colleagues wrote.

It holds no text: pairs of characters stand in it as keyed hashes (hub/store/search_index.py).
"""

from sqlalchemy import BigInteger, Column, Index, Integer, LargeBinary, SmallInteger, Table, Text

from hub.store.columns import metadata

# Rows that were written and are not in the index as they are now. Written in the transaction of the row itself.
search_queue = Table(
    "search_queue",
    metadata,
    Column("row_id", BigInteger, primary_key=True, autoincrement=False),
    # hub.store.search_documents.Source
    Column("source", Text, primary_key=True),
    Column("queued_at", BigInteger, nullable=False),
    sqlite_with_rowid=False,
)

# Which row a number of the index stands for. A row that changed gets a new number.
search_documents = Table(
    "search_documents",
    metadata,
    Column("row_id", BigInteger, primary_key=True, autoincrement=False),
    Column("source", Text, primary_key=True),
    Column("no", BigInteger, nullable=False),
    Column("shop_id", BigInteger),
    # keyed digest of the text it was made from
    Column("digest", LargeBinary, nullable=False),
    Index("ix_search_documents_no", "no", unique=True),
    sqlite_with_rowid=False,
)

# In which documents of one block of numbers a pair of characters occurs.
search_blocks = Table(
    "search_blocks",
    metadata,
    Column("block", Integer, primary_key=True, autoincrement=False),
    # 32 bits of the keyed hash of a pair
    Column("token", Integer, primary_key=True, autoincrement=False),
    # places in the block: see hub/store/search_blocks.py
    Column("members", LargeBinary, nullable=False),
    sqlite_with_rowid=False,
)

# Numbers that stand for nothing any more: taken out of their block by the next sweep.
search_dead = Table(
    "search_dead",
    metadata,
    Column("no", BigInteger, primary_key=True, autoincrement=False),
    # 0: personal data that was removed; its block is swept at once
    Column("since", BigInteger, nullable=False),
)

# One row: the number of the next document. Who writes the index holds it.
search_state = Table(
    "search_state",
    metadata,
    Column("id", SmallInteger, primary_key=True, autoincrement=False),
    Column("next_no", BigInteger, nullable=False),
)
