"""The telephone while it rings, and what agents noted of their calls. The calls that are counted stand elsewhere."""

from sqlalchemy import BigInteger, Boolean, Column, ForeignKey, Index, Integer, LargeBinary, Table, Text, text
from sqlalchemy import UniqueConstraint as Unique

from hub.store.columns import metadata, row_id
from hub.store.work_tables import cases

# A call at one agent's phone. Forgotten some days after its end.
live_calls = Table(
    "live_calls",
    metadata,
    row_id(),
    Column("pbx", Text, nullable=False),
    Column("call_id", Text, nullable=False),
    Column("member", Text, nullable=False),
    # whose phone it is; null: nobody of the desk
    Column("user_id", BigInteger),
    # ringing | talking | held | after_call | missed | done
    Column("state", Text, nullable=False),
    Column("leg", Text, nullable=False),
    Column("queue", Text, nullable=False),
    Column("did", Text),
    Column("mall", Text),
    Column("line", Text),
    Column("caller_idx", LargeBinary),
    # msgpack of hub.desk.phone.calls.CallerPart
    Column("caller_sealed", LargeBinary, nullable=False),
    Column("rang_at", BigInteger, nullable=False),
    Column("answered_at", BigInteger),
    Column("ended_at", BigInteger),
    Column("updated_at", BigInteger, nullable=False),
    Unique("pbx", "call_id", "member"),
    Index("ix_live_calls_user_id_updated_at", "user_id", "updated_at"),
)

# What an agent noted of a call: one note for each agent who spoke. Kept as long as the calls.
call_notes = Table(
    "call_notes",
    metadata,
    row_id(),
    Column("pbx", Text, nullable=False),
    Column("call_id", Text, nullable=False),
    Column("member", Text, nullable=False),
    Column("user_id", BigInteger),
    Column("leg", Text, nullable=False),
    Column("queue", Text, nullable=False),
    # matter.reason, see hub.desk.phone.topics; null: only marked as abuse
    Column("topic", Text),
    Column("is_abuse", Boolean, nullable=False),
    # what happened, in the agent's words: evidence
    Column("text_sealed", LargeBinary),
    Column("noted_at", BigInteger, nullable=False),
    # when the exchange took the topic; null: it is told again
    Column("sent_at", BigInteger),
    # the rest after an abusive call: working time, never counted against the agent
    Column("rest_began_at", BigInteger),
    Column("rest_ended_at", BigInteger),
    Unique("pbx", "call_id", "member"),
    Index("ix_call_notes_user_id_noted_at", "user_id", "noted_at"),
)

# A customer who asked to be called back: one row, and one case, for a number while it waits.
callbacks = Table(
    "callbacks",
    metadata,
    row_id(),
    Column("case_id", ForeignKey(cases.c.id, ondelete="CASCADE"), nullable=False),
    Column("mall", Text, nullable=False),
    Column("line", Text),
    # the number that is shown; one that the mall owns
    Column("caller_id", Text, nullable=False),
    Column("caller_idx", LargeBinary, nullable=False),
    Column("caller_sealed", LargeBinary, nullable=False),
    Column("asked_at", BigInteger, nullable=False),
    Column("asked", Integer, nullable=False),
    Column("tries", Integer, nullable=False),
    Column("first_tried_at", BigInteger),
    Column("reached_at", BigInteger),
    Column("ended_at", BigInteger),
    Index(
        "ix_callbacks_mall_caller_idx",
        "mall",
        "caller_idx",
        unique=True,
        sqlite_where=text("ended_at IS NULL"),
        postgresql_where=text("ended_at IS NULL"),
    ),
    Index("ix_callbacks_case_id", "case_id"),
)

# Which call asked: told live and by the records, it asks once.
callback_calls = Table(
    "callback_calls",
    metadata,
    Column("call_id", Text, primary_key=True),
    Column("callback_id", ForeignKey(callbacks.c.id, ondelete="CASCADE"), nullable=False),
    Index("ix_callback_calls_callback_id", "callback_id"),
)

# A call out that an agent asked for.
dials = Table(
    "dials",
    metadata,
    row_id(),
    Column("user_id", BigInteger),
    Column("member", Text, nullable=False),
    Column("mall", Text, nullable=False),
    Column("caller_id", Text, nullable=False),
    Column("number_sealed", LargeBinary, nullable=False),
    Column("case_id", BigInteger),
    Column("callback_id", BigInteger),
    # asked | answered | no_answer | busy | failed: of the agent's own phone
    Column("state", Text, nullable=False),
    # reached | not_reached: the customer, as the agent says
    Column("outcome", Text),
    Column("asked_at", BigInteger, nullable=False),
    Column("updated_at", BigInteger, nullable=False),
    Index("ix_dials_user_id_asked_at", "user_id", "asked_at"),
)
