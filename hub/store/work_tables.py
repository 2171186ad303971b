"""What people do with it: cases, actions, sign-ins, telephone calls."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    Table,
    Text,
    UniqueConstraint,
    text,
)

from hub.store.columns import index_of_given, metadata, row_id
from hub.store.mall_tables import shops

# What an agent works on: claims of one kind on one order, or one inquiry thread.
cases = Table(
    "cases",
    metadata,
    row_id(),
    Column("shop_id", ForeignKey(shops.c.id, ondelete="CASCADE"), nullable=False),
    Column("case_key", Text, nullable=False),
    # the kinds of claims and inquiries
    Column("kind", Text, nullable=False),
    # of the order that its claims are about; '' also where nothing tells, as of an inquiry
    Column("sub_shop", Text, nullable=False, server_default=text("''")),
    Column("order_no", Text),
    Column("thread_no", Text),
    Column("is_open", Boolean, nullable=False),
    # newest state of its claims or inquiry, for the list
    Column("state", Text, nullable=False),
    Column("product_name", Text),
    Column("quantity", Integer),
    # already masked: a list shows nothing more
    Column("customer_masked", Text),
    Column("excerpt_masked", Text),
    Column("opened_at", BigInteger, nullable=False),
    Column("closed_at", BigInteger),
    # earliest of all deadlines; far future when none, so that one index orders the list
    Column("due_at", BigInteger, nullable=False),
    Column("due_cause", Text),
    # JSON: every deadline with cause and source
    Column("due_all", Text, nullable=False),
    Column("assignee_id", BigInteger),
    # hub.store.assignment_tables.teams: whose queue it stands in
    Column("team_id", BigInteger),
    # laid aside then, until then; a case that changes meanwhile is back at once
    Column("snoozed_at", BigInteger),
    Column("snoozed_until", BigInteger),
    Column("updated_at", BigInteger, nullable=False),
    UniqueConstraint("shop_id", "case_key"),
    Index("ix_cases_is_open_due_at_id", "is_open", "due_at", "id"),
    Index("ix_cases_shop_id_is_open_due_at_id", "shop_id", "is_open", "due_at", "id"),
    Index("ix_cases_is_open_kind_due_at_id", "is_open", "kind", "due_at", "id"),
    Index("ix_cases_assignee_id_is_open_due_at_id", "assignee_id", "is_open", "due_at", "id"),
    Index("ix_cases_shop_id_order_no", "shop_id", "order_no"),
    Index("ix_cases_shop_id_thread_no", "shop_id", "thread_no"),
    # the few that were given to a team, or laid aside
    Index(
        "ix_cases_team_id_is_open_due_at_id",
        "team_id",
        "is_open",
        "due_at",
        "id",
        sqlite_where=text("team_id IS NOT NULL"),
        postgresql_where=text("team_id IS NOT NULL"),
    ),
    index_of_given("cases", "snoozed_until"),
    # all that the counts beside the list ask for: they read no row
    Index(
        "ix_cases_awake",
        "shop_id",
        "kind",
        "team_id",
        "assignee_id",
        "due_at",
        "state",
        sqlite_where=text("is_open = 1 AND snoozed_until IS NULL"),
        postgresql_where=text("is_open AND snoozed_until IS NULL"),
    ),
)

# One write to a mall: stored before it is sent, its outcome after. An outbox as long as it waits.
actions = Table(
    "actions",
    metadata,
    row_id(),
    Column("shop_id", ForeignKey(shops.c.id, ondelete="CASCADE"), nullable=False),
    Column("action", Text, nullable=False),
    Column("order_no", Text),
    Column("line_no", Text),
    Column("inquiry_no", Text),
    # the text for the customer
    Column("payload_sealed", LargeBinary),
    # pending | done | refused | unknown
    Column("outcome", Text, nullable=False),
    # JSON: [{"line_no", "outcome", "mall_message"}]
    Column("lines", Text, nullable=False),
    Column("error_message", Text),
    Column("user_id", BigInteger),
    # chosen by a form: the same form sent twice acts once
    Column("token", Text, unique=True),
    Column("created_at", BigInteger, nullable=False),
    Column("finished_at", BigInteger),
    # msgpack of hub.desk.acting.outbox.Letter: all that the connector is given; null when nothing is left to do
    Column("letter_sealed", LargeBinary),
    # when the first write began, and how many have begun: marked before each is sent
    Column("started_at", BigInteger),
    Column("started", Integer, nullable=False, server_default=text("0")),
    # an uncertain outcome is looked at again then; looks made so far
    Column("look_at", BigInteger),
    Column("looks", Integer, nullable=False, server_default=text("0")),
    # of an answer: the template it began with; JSON {"findings": {kind: count}, "forced"} of its guard
    Column("template_id", Text),
    Column("guard", Text),
    Index(
        "ix_actions_template_id",
        "template_id",
        sqlite_where=text("template_id IS NOT NULL"),
        postgresql_where=text("template_id IS NOT NULL"),
    ),
    Index("ix_actions_shop_id_order_no", "shop_id", "order_no"),
    Index("ix_actions_shop_id_inquiry_no", "shop_id", "inquiry_no"),
    # the few of which something is still to be done
    Index(
        "ix_actions_letter_shop_id",
        "shop_id",
        "id",
        sqlite_where=text("letter_sealed IS NOT NULL"),
        postgresql_where=text("letter_sealed IS NOT NULL"),
    ),
)

# Done by a person in the mall's own admin, because its API cannot: ticked off, so that nobody does it twice.
admin_steps = Table(
    "admin_steps",
    metadata,
    row_id(),
    Column("case_id", ForeignKey(cases.c.id, ondelete="CASCADE"), nullable=False),
    # hub.desk.acting.act.Action
    Column("action", Text, nullable=False),
    Column("line_no", Text),
    Column("done_at", BigInteger, nullable=False),
    Column("done_by", BigInteger),
    # taken back by mistake's author
    Column("undone_at", BigInteger),
    Index("ix_admin_steps_case_id", "case_id"),
)

users = Table(
    "users",
    metadata,
    row_id(),
    Column("login", Text, nullable=False, unique=True),
    Column("name", Text, nullable=False),
    # agent | supervisor | admin
    Column("role", Text, nullable=False),
    Column("password_hash", Text, nullable=False),
    Column("locale", Text, nullable=False),
    Column("is_active", Boolean, nullable=False),
    Column("failed_logins", Integer, nullable=False),
    Column("locked_until", BigInteger),
    # the telephone at this seat, as the exchange names it: MEMBER, or PBX/MEMBER where there are several
    Column("phone_member", Text),
    Column("created_at", BigInteger, nullable=False),
    Index("ix_users_phone_member", "phone_member", unique=True),
)

sessions = Table(
    "sessions",
    metadata,
    # digest of the cookie's value: a stolen table opens no session
    Column("key_hash", LargeBinary, primary_key=True),
    Column("data", LargeBinary, nullable=False),
    Column("expires_at", BigInteger, nullable=False),
    Index("ix_sessions_expires_at", "expires_at"),
)

# Who did what to whose data, from where. Rows are added, never changed.
access_log = Table(
    "access_log",
    metadata,
    row_id(),
    Column("at", BigInteger, nullable=False),
    Column("user_id", BigInteger),
    Column("login", Text),
    Column("address", Text),
    # sign_in | sign_in_failed | sign_out | unmask | export | ...
    Column("action", Text, nullable=False),
    # whose data: "order 12", "case 7", "export lines"; never the data itself
    Column("subject", Text),
    Column("reason", Text),
    Index("ix_access_log_at_id", "at", "id"),
)

# The seller's own table of inventory modes, as imported.
product_modes = Table(
    "product_modes",
    metadata,
    row_id(),
    # null: for every shop
    Column("shop", Text),
    # as written in the file; the narrowest that is given counts
    Column("seller_sku", Text),
    Column("option_code", Text),
    Column("product_code", Text),
    Column("mode", Text, nullable=False),
    # ISO dates
    Column("valid_from", Text),
    Column("valid_to", Text),
    Column("partner", Text),
    Column("logistics", Text),
    Column("imported_at", BigInteger, nullable=False),
    Index("ix_product_modes_imported_at", "imported_at"),
)

# Telephone records as read, each once; calls are derived from all events of their time.
call_events = Table(
    "call_events",
    metadata,
    Column("digest", LargeBinary, primary_key=True),
    Column("at", BigInteger, nullable=False),
    # msgpack of ivr.event.Event; caller numbers inside are sealed with it
    Column("event_sealed", LargeBinary, nullable=False),
    Index("ix_call_events_at", "at"),
)

calls = Table(
    "calls",
    metadata,
    Column("call_id", Text, primary_key=True),
    Column("did", Text),
    Column("mall", Text),
    Column("line", Text),
    Column("chosen_line", Text),
    Column("handling_line", Text),
    Column("topic", Text),
    # null while the call goes on
    Column("result", Text),
    Column("entered_at", BigInteger, nullable=False),
    Column("wait_seconds", Float),
    Column("talk_seconds", Float),
    Column("agent", Text),
    Column("is_short_abandon", Boolean, nullable=False),
    Column("is_transferred", Boolean, nullable=False),
    Column("caller_idx", LargeBinary),
    Column("caller_sealed", LargeBinary),
    # when the caller asked to be called back
    Column("callback_at", BigInteger),
    # ids of the ways it took through the menu, a space before and after each; null: the records tell none
    Column("ways", Text),
    # JSON: [agent, mall, line, began_at, ended_at] of each agent who spoke
    Column("talks", Text),
    Column("content_hash", LargeBinary, nullable=False),
    Index("ix_calls_entered_at_call_id", "entered_at", "call_id"),
    Index("ix_calls_caller_idx_entered_at", "caller_idx", "entered_at"),
)
