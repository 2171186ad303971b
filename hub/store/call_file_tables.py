"""Files of call records that were read, how far, what in them could not be read, and what they say of agents."""

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

# What a worker is told to read on and on: when it last looked, and why it could not read.
call_follows = Table(
    "call_follows",
    metadata,
    Column("path", Text, primary_key=True),
    Column("pbx", Text, primary_key=True),
    Column("looked_at", BigInteger, nullable=False),
    Column("problem", Text),
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

# What a PBX noted of an agent at a queue: signed in or out, paused or back. Where it has been restarted nothing is
# known of anybody: agent is ''.
agent_states = Table(
    "agent_states",
    metadata,
    # that of its event
    Column("digest", LargeBinary, primary_key=True),
    Column("at", BigInteger, nullable=False),
    Column("agent", Text, nullable=False),
    # '' for all queues of the agent
    Column("queue", Text, nullable=False),
    Column("mall", Text),
    Column("line", Text),
    # in | out | paused | back | restart
    Column("state", Text, nullable=False),
    Index("ix_agent_states_at", "at"),
)
