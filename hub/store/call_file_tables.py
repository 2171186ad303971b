"""Files of call records that were read, how far, and what in them could not be read."""

from sqlalchemy import BigInteger, Column, ForeignKey, Index, Integer, LargeBinary, Table, Text, UniqueConstraint

from hub.store.columns import metadata, row_id

# One row a file, told apart by its first bytes: a file that took the place of another under its path is a new row.
call_files = Table(
    "call_files",
    metadata,
    row_id(),
    # '' where there is one PBX: part of the key, so never null
    Column("pbx", Text, nullable=False),
    Column("path", Text, nullable=False),
    # digest of the first head_length bytes
    Column("head", LargeBinary, nullable=False),
    Column("head_length", Integer, nullable=False),
    Column("kind", Text),
    # bytes; whole lines up to here are stored and counted below
    Column("position", BigInteger, nullable=False),
    Column("lines", BigInteger, nullable=False),
    Column("events", BigInteger, nullable=False),
    Column("ignored", BigInteger, nullable=False),
    Column("unreadable", BigInteger, nullable=False),
    Column("clock_jumps", BigInteger, nullable=False),
    Column("read_at", BigInteger, nullable=False),
    Index("ix_call_files_path_pbx", "path", "pbx"),
)

# The first of them; all are counted in call_files.unreadable. No line is quoted: it may hold a caller's number.
call_problems = Table(
    "call_problems",
    metadata,
    row_id(),
    Column("file_id", ForeignKey(call_files.c.id, ondelete="CASCADE"), nullable=False),
    Column("line_no", BigInteger, nullable=False),
    Column("reason", Text, nullable=False),
    Column("found_at", BigInteger, nullable=False),
    UniqueConstraint("file_id", "line_no"),
)
