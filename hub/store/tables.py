"""Every table. SQLite by default, PostgreSQL by URL; the same columns on both.

Times are whole milliseconds since 1970 UTC in ``BigInteger`` (``*_at``): exact, fast to bind, and
equal on both databases. Money is minor units beside an ISO currency. ``*_idx`` are blind indexes
(keyed hashes) of personal data, ``sealed`` columns hold personal data encrypted. ``content_hash``
is the digest of the canonical record that the row was written from: equal digest, nothing written.
Primary keys come from :func:`hub.store.ids.new_id`.
"""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    UniqueConstraint,
    text,
)

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)


def _id() -> Column[int]:
    return Column("id", BigInteger, primary_key=True, autoincrement=False)


def _index_of_given(table: str, column: str) -> Index:
    """An index that leaves out the rows, most of them, in which the column is null."""
    given = text(f"{column} IS NOT NULL")
    return Index(f"ix_{table}_{column}", column, sqlite_where=given, postgresql_where=given)


shops = Table(
    "shops",
    metadata,
    _id(),
    Column("name", Text, nullable=False, unique=True),
    Column("mall", Text, nullable=False),
    Column("base_url", Text),
    Column("credentials_sealed", LargeBinary, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("is_active", Boolean, nullable=False, server_default=text("true")),
)

# State of a shop that must survive: rotating tokens, issued keys.
shop_secrets = Table(
    "shop_secrets",
    metadata,
    Column("shop_id", ForeignKey(shops.c.id, ondelete="CASCADE"), primary_key=True),
    Column("name", Text, primary_key=True),
    Column("value_sealed", LargeBinary, nullable=False),
    Column("updated_at", BigInteger, nullable=False),
)

# Leases over processes and machines: held until ``until_at``, then anybody's.
leases = Table(
    "leases",
    metadata,
    Column("name", Text, primary_key=True),
    Column("owner", Text, nullable=False),
    Column("until_at", BigInteger, nullable=False),
)

orders = Table(
    "orders",
    metadata,
    _id(),
    Column("shop_id", ForeignKey(shops.c.id, ondelete="CASCADE"), nullable=False),
    # '' where the mall has no shops inside a shop: part of the key, so never null
    Column("sub_shop", Text, nullable=False),
    Column("order_no", Text, nullable=False),
    Column("ordered_at", BigInteger),
    Column("paid_at", BigInteger),
    Column("currency", Text),
    Column("amount_minor", BigInteger),
    Column("payment_method", Text),
    Column("market", Text),
    Column("market_order_no", Text),
    # buyer, receiver, delivery message: msgpack of hub.store.sealed.OrderPrivate
    Column("sealed", LargeBinary),
    # the receiver's only where they differ from the buyer's
    Column("buyer_name_idx", LargeBinary),
    Column("buyer_phone_idx", LargeBinary),
    Column("buyer_email_idx", LargeBinary),
    Column("receiver_name_idx", LargeBinary),
    Column("receiver_phone_idx", LargeBinary),
    # The line whose reading gave this head: malls that answer per line repeat it with small differences.
    Column("head_line_no", Text, nullable=False),
    Column("content_hash", LargeBinary, nullable=False),
    Column("first_seen_at", BigInteger, nullable=False),
    Column("fetched_at", BigInteger, nullable=False),
    UniqueConstraint("shop_id", "sub_shop", "order_no"),
    Index("ix_orders_order_no", "order_no"),
    _index_of_given("orders", "market_order_no"),
    _index_of_given("orders", "buyer_phone_idx"),
    _index_of_given("orders", "receiver_phone_idx"),
    _index_of_given("orders", "buyer_name_idx"),
    _index_of_given("orders", "receiver_name_idx"),
    _index_of_given("orders", "buyer_email_idx"),
    Index("ix_orders_ordered_at_id", "ordered_at", "id"),
)

# Two orders that are one: a copy that came through another mall, and where it was really placed.
order_twins = Table(
    "order_twins",
    metadata,
    Column("order_id", ForeignKey(orders.c.id, ondelete="CASCADE"), primary_key=True),
    Column("original_id", ForeignKey(orders.c.id, ondelete="CASCADE"), nullable=False, index=True),
)

lines = Table(
    "order_lines",
    metadata,
    _id(),
    Column("shop_id", ForeignKey(shops.c.id, ondelete="CASCADE"), nullable=False),
    Column("order_id", ForeignKey(orders.c.id, ondelete="CASCADE"), nullable=False),
    Column("line_no", Text, nullable=False),
    Column("status", Text, nullable=False),
    Column("raw_status", Text, nullable=False),
    Column("is_held", Boolean, nullable=False),
    Column("quantity", Integer, nullable=False),
    Column("remaining_quantity", Integer),
    Column("product_name", Text, nullable=False),
    Column("product_option", Text),
    Column("product_code", Text),
    Column("option_code", Text),
    Column("seller_sku", Text),
    # JSON list of [name, value], null when the mall tells nothing
    Column("hints", Text),
    Column("amount_minor", BigInteger),
    Column("currency", Text),
    Column("planned_ship_at", BigInteger),
    Column("purchase_confirmed_at", BigInteger),
    Column("carrier", Text),
    Column("tracking_no", Text),
    Column("dispatched_at", BigInteger),
    Column("delivered_at", BigInteger),
    Column("mall_changed_at", BigInteger),
    Column("replaces_line_no", Text),
    Column("content_hash", LargeBinary, nullable=False),
    Column("first_seen_at", BigInteger, nullable=False),
    Column("fetched_at", BigInteger, nullable=False),
    # Set when a complete run no longer found the line and asking for it gave nothing.
    Column("vanished_at", BigInteger),
    UniqueConstraint("order_id", "line_no"),
    Index("ix_order_lines_shop_id_line_no", "shop_id", "line_no"),
    Index("ix_order_lines_shop_id_status", "shop_id", "status"),
    Index("ix_order_lines_tracking_no", "tracking_no"),
    Index("ix_order_lines_shop_id_product_code", "shop_id", "product_code"),
)

claims = Table(
    "claims",
    metadata,
    _id(),
    Column("shop_id", ForeignKey(shops.c.id, ondelete="CASCADE"), nullable=False),
    Column("claim_key", Text, nullable=False),
    Column("order_no", Text, nullable=False),
    Column("line_no", Text, nullable=False),
    Column("claim_no", Text),
    Column("kind", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("is_open", Boolean, nullable=False),
    Column("raw_state", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("raw_reason", Text),
    Column("fault_party", Text, nullable=False),
    Column("quantity", Integer),
    Column("requested_at", BigInteger),
    Column("ended_at", BigInteger),
    Column("ended_by", Text),
    Column("hold_reason", Text),
    Column("collect_carrier", Text),
    Column("collect_tracking_no", Text),
    Column("collected_at", BigInteger),
    Column("reship_carrier", Text),
    Column("reship_tracking_no", Text),
    Column("refund_minor", BigInteger),
    Column("refund_currency", Text),
    # the customer's own words
    Column("reason_text_sealed", LargeBinary),
    Column("content_hash", LargeBinary, nullable=False),
    Column("first_seen_at", BigInteger, nullable=False),
    Column("fetched_at", BigInteger, nullable=False),
    UniqueConstraint("shop_id", "claim_key"),
    Index("ix_claims_shop_id_line_no", "shop_id", "line_no"),
    Index("ix_claims_shop_id_order_no", "shop_id", "order_no"),
    Index("ix_claims_shop_id_is_open", "shop_id", "is_open"),
)

inquiries = Table(
    "inquiries",
    metadata,
    _id(),
    Column("shop_id", ForeignKey(shops.c.id, ondelete="CASCADE"), nullable=False),
    Column("inquiry_no", Text, nullable=False),
    Column("thread_no", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("raw_state", Text, nullable=False),
    Column("order_no", Text),
    # JSON list
    Column("line_nos", Text, nullable=False),
    Column("product_code", Text),
    Column("product_name", Text),
    Column("category", Text),
    Column("asked_at", BigInteger, nullable=False),
    Column("answered_at", BigInteger),
    Column("is_public", Boolean, nullable=False),
    Column("writer_name_idx", LargeBinary),
    Column("writer_phone_idx", LargeBinary),
    # the whole canonical record as msgpack: subject, text, writer, messages
    Column("sealed", LargeBinary, nullable=False),
    Column("content_hash", LargeBinary, nullable=False),
    Column("first_seen_at", BigInteger, nullable=False),
    Column("fetched_at", BigInteger, nullable=False),
    UniqueConstraint("shop_id", "inquiry_no"),
    Index("ix_inquiries_asked_at_id", "asked_at", "id"),
    Index("ix_inquiries_shop_id_state", "shop_id", "state"),
    Index("ix_inquiries_shop_id_order_no", "shop_id", "order_no"),
    Index("ix_inquiries_shop_id_thread_no", "shop_id", "thread_no"),
    Index("ix_inquiries_writer_phone_idx", "writer_phone_idx"),
    Index("ix_inquiries_writer_name_idx", "writer_name_idx"),
)

# Names of what was sold, a few thousand rows: product search reads these, not the lines.
products = Table(
    "products",
    metadata,
    _id(),
    Column("shop_id", ForeignKey(shops.c.id, ondelete="CASCADE"), nullable=False),
    Column("code", Text, nullable=False),
    Column("name", Text, nullable=False),
    # NFKC, casefolded: what a search compares with
    Column("name_folded", Text, nullable=False),
    UniqueConstraint("shop_id", "code", "name"),
)

# Who supplies what, and how: as the mall keeps it. A few hundred rows.
suppliers = Table(
    "suppliers",
    metadata,
    Column("shop_id", ForeignKey(shops.c.id, ondelete="CASCADE"), primary_key=True),
    Column("code", Text, primary_key=True),
    Column("name", Text, nullable=False),
    Column("is_active", Boolean, nullable=False),
    # JSON list of [name, value]
    Column("hints", Text),
    # msgpack list of hub.core.model.Party
    Column("contacts_sealed", LargeBinary),
    Column("content_hash", LargeBinary, nullable=False),
    Column("fetched_at", BigInteger, nullable=False),
)

# Sellable things with their stock; '' is "no option", part of the key and so never null.
stock_items = Table(
    "stock_items",
    metadata,
    Column("shop_id", ForeignKey(shops.c.id, ondelete="CASCADE"), primary_key=True),
    Column("product_code", Text, primary_key=True),
    Column("option_code", Text, primary_key=True),
    Column("name", Text, nullable=False),
    Column("seller_sku", Text),
    Column("supplier_code", Text),
    Column("on_hand", Integer),
    Column("hints", Text),
    Column("content_hash", LargeBinary, nullable=False),
    Column("fetched_at", BigInteger, nullable=False),
    Index("ix_stock_items_shop_id_seller_sku", "shop_id", "seller_sku"),
)

# Handed to the hub and kept whole: chat messages that no mall keeps, uploaded files, their layouts.
inbox = Table(
    "inbox",
    metadata,
    _id(),
    Column("shop_id", ForeignKey(shops.c.id, ondelete="CASCADE"), nullable=False),
    # hub.core.inbox.InboxKind
    Column("kind", Text, nullable=False),
    Column("key", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("body_sealed", LargeBinary, nullable=False),
    Column("received_at", BigInteger, nullable=False),
    UniqueConstraint("shop_id", "kind", "key"),
    Index("ix_inbox_shop_id_kind_received_at", "shop_id", "kind", "received_at"),
    Index("ix_inbox_shop_id_kind_subject_id", "shop_id", "kind", "subject", "id"),
)

# What a webhook asked to read again. Asked for twice is one row; done is no row.
rereads = Table(
    "rereads",
    metadata,
    Column("shop_id", ForeignKey(shops.c.id, ondelete="CASCADE"), primary_key=True),
    # order | inquiry | feed
    Column("what", Text, primary_key=True),
    Column("key", Text, primary_key=True),
    Column("asked_at", BigInteger, nullable=False),
    # moved on when reading fails: a later try
    Column("due_at", BigInteger, nullable=False, index=True),
    Column("tries", Integer, nullable=False),
)

# The address at which a mall reaches one shop, and when it last did.
webhooks = Table(
    "webhooks",
    metadata,
    Column("shop_id", ForeignKey(shops.c.id, ondelete="CASCADE"), primary_key=True),
    # the last part of the address; it survives new credentials of the shop
    Column("secret_sealed", LargeBinary, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    # newest delivery that was understood, and how many were
    Column("received_at", BigInteger),
    Column("received", Integer, nullable=False),
    # the same of those whose sender or body was wrong
    Column("refused_at", BigInteger),
    Column("refused", Integer, nullable=False),
)

# An order that an agent found to belong to a conversation. Ended, not deleted: it was a decision.
thread_orders = Table(
    "thread_orders",
    metadata,
    _id(),
    Column("shop_id", ForeignKey(shops.c.id, ondelete="CASCADE"), nullable=False),
    Column("thread_no", Text, nullable=False),
    # of any shop
    Column("order_id", ForeignKey("orders.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("linked_at", BigInteger, nullable=False),
    Column("linked_by", BigInteger),
    Column("ended_at", BigInteger),
    Column("ended_by", BigInteger),
    Index("ix_thread_orders_shop_id_thread_no", "shop_id", "thread_no"),
)

# What the mall sent, newest version, encrypted: for replay and for proof.
raw_payloads = Table(
    "raw_payloads",
    metadata,
    Column("shop_id", ForeignKey(shops.c.id, ondelete="CASCADE"), primary_key=True),
    Column("feed", Text, primary_key=True),
    Column("key", Text, primary_key=True),
    Column("payload_sealed", LargeBinary, nullable=False),
    Column("payload_hash", LargeBinary, nullable=False),
    Column("fetched_at", BigInteger, nullable=False),
)

# Every change of a status after the first sight: what the mall says, and when we saw it.
status_changes = Table(
    "status_changes",
    metadata,
    _id(),
    Column("shop_id", ForeignKey(shops.c.id, ondelete="CASCADE"), nullable=False),
    # line | claim | inquiry, and the row's id
    Column("subject", Text, nullable=False),
    Column("subject_id", BigInteger, nullable=False),
    Column("from_status", Text, nullable=False),
    Column("to_status", Text, nullable=False),
    Column("raw_status", Text, nullable=False),
    Column("mall_at", BigInteger),
    Column("seen_at", BigInteger, nullable=False),
    Index("ix_status_changes_subject_subject_id", "subject", "subject_id", "id"),
)

quarantine = Table(
    "quarantine",
    metadata,
    _id(),
    Column("shop_id", ForeignKey(shops.c.id, ondelete="CASCADE"), nullable=False),
    Column("feed", Text, nullable=False),
    Column("key", Text, nullable=False),
    Column("error", Text, nullable=False),
    Column("payload_sealed", LargeBinary, nullable=False),
    Column("payload_hash", LargeBinary, nullable=False),
    Column("first_seen_at", BigInteger, nullable=False),
    Column("last_seen_at", BigInteger, nullable=False),
    Column("resolved_at", BigInteger),
    UniqueConstraint("shop_id", "feed", "key"),
)

# Where each feed of each shop stands. A cursor is saved in the transaction of its page.
feed_states = Table(
    "feed_states",
    metadata,
    Column("shop_id", ForeignKey(shops.c.id, ondelete="CASCADE"), primary_key=True),
    Column("feed", Text, primary_key=True),
    # the run under way, or broken off: same span, go on at the cursor
    Column("cursor", Text),
    Column("span_since", BigInteger),
    Column("span_until", BigInteger),
    Column("is_full", Boolean),
    # the last complete run
    Column("data_as_of", BigInteger),
    Column("full_as_of", BigInteger),
    # how the newest try ended: null while it runs or when all went well
    Column("error_kind", Text),
    Column("error_message", Text),
    Column("failing_since", BigInteger),
    Column("tried_at", BigInteger),
    # JSON: counts of the newest finished run, as in `hub sync --json`
    Column("last_counts", Text),
    # JSON: {"field:code": times} of codes no table holds
    Column("unknown_codes", Text),
    # of the newest unbroken full run: records that the mall named, and those of them that stand here
    Column("listed", Integer),
    Column("listed_held", Integer),
    Column("listed_at", BigInteger),
)

# What an agent works on: claims of one kind on one order, or one inquiry thread.
cases = Table(
    "cases",
    metadata,
    _id(),
    Column("shop_id", ForeignKey(shops.c.id, ondelete="CASCADE"), nullable=False),
    Column("case_key", Text, nullable=False),
    # the kinds of claims and inquiries
    Column("kind", Text, nullable=False),
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
    Column("updated_at", BigInteger, nullable=False),
    UniqueConstraint("shop_id", "case_key"),
    Index("ix_cases_is_open_due_at_id", "is_open", "due_at", "id"),
    Index("ix_cases_shop_id_is_open_due_at_id", "shop_id", "is_open", "due_at", "id"),
    Index("ix_cases_is_open_kind_due_at_id", "is_open", "kind", "due_at", "id"),
    Index("ix_cases_assignee_id_is_open_due_at_id", "assignee_id", "is_open", "due_at", "id"),
    Index("ix_cases_shop_id_order_no", "shop_id", "order_no"),
    Index("ix_cases_shop_id_thread_no", "shop_id", "thread_no"),
)

# One write to a mall: stored before it is sent, its outcome after. An outbox as long as it waits.
actions = Table(
    "actions",
    metadata,
    _id(),
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
    # msgpack of hub.desk.outbox.Letter: all that the connector is given; null when nothing is left to do
    Column("letter_sealed", LargeBinary),
    # when the first write began, and how many have begun: marked before each is sent
    Column("started_at", BigInteger),
    Column("started", Integer, nullable=False, server_default=text("0")),
    # an uncertain outcome is looked at again then; looks made so far
    Column("look_at", BigInteger),
    Column("looks", Integer, nullable=False, server_default=text("0")),
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
    _id(),
    Column("case_id", ForeignKey(cases.c.id, ondelete="CASCADE"), nullable=False),
    # hub.desk.act.Action
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
    _id(),
    Column("login", Text, nullable=False, unique=True),
    Column("name", Text, nullable=False),
    # agent | supervisor | admin
    Column("role", Text, nullable=False),
    Column("password_hash", Text, nullable=False),
    Column("locale", Text, nullable=False),
    Column("is_active", Boolean, nullable=False),
    Column("failed_logins", Integer, nullable=False),
    Column("locked_until", BigInteger),
    Column("created_at", BigInteger, nullable=False),
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
    _id(),
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
    _id(),
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
    Column("content_hash", LargeBinary, nullable=False),
    Index("ix_calls_entered_at_call_id", "entered_at", "call_id"),
    Index("ix_calls_caller_idx", "caller_idx"),
)
