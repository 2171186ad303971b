"""What supervisors decide beforehand: routing, policy and templates, each change a version that stays."""

from sqlalchemy import BigInteger, Column, Index, Integer, Table, Text, UniqueConstraint

from hub.store.columns import metadata, row_id

# One whole book a row; the newest version of a kind is in force. Rows are added, never changed, so that
# a decision made under an old version can show it.
rule_books = Table(
    "rule_books",
    metadata,
    row_id(),
    # routing | policy | templates
    Column("kind", Text, nullable=False),
    # 1, 2, 3 … for each kind
    Column("version", Integer, nullable=False),
    # JSON
    Column("body", Text, nullable=False),
    # screen | file | import
    Column("source", Text, nullable=False),
    # why, in the author's words
    Column("note", Text),
    # null: the command line, or a file
    Column("author_id", BigInteger),
    Column("created_at", BigInteger, nullable=False),
    UniqueConstraint("kind", "version"),
    Index("ix_rule_books_kind_created_at", "kind", "created_at"),
)

# What a supervisor is still working on: one whole book per kind and author, in force for nobody.
book_drafts = Table(
    "book_drafts",
    metadata,
    row_id(),
    Column("kind", Text, nullable=False),
    Column("author_id", BigInteger, nullable=False),
    # the version that the author started from
    Column("based_on", Integer, nullable=False),
    # JSON
    Column("body", Text, nullable=False),
    Column("changed_at", BigInteger, nullable=False),
    UniqueConstraint("kind", "author_id"),
)

# What was done to the table of inventory modes, which is too long to keep whole for every change.
mode_changes = Table(
    "mode_changes",
    metadata,
    row_id(),
    Column("at", BigInteger, nullable=False),
    # null: the command line
    Column("author_id", BigInteger),
    # added | changed | removed | imported
    Column("change", Text, nullable=False),
    # JSON of the row before and after; of an import, how many rows were new, changed and removed
    Column("old", Text),
    Column("new", Text),
)
