"""Shops, what their malls tell, and how far it was read."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
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

shops = Table(
    "shops",
    metadata,
    row_id(),
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
    row_id(),
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
    index_of_given("orders", "market_order_no"),
    index_of_given("orders", "buyer_phone_idx"),
    index_of_given("orders", "receiver_phone_idx"),
    index_of_given("orders", "buyer_name_idx"),
    index_of_given("orders", "receiver_name_idx"),
    index_of_given("orders", "buyer_email_idx"),
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
    row_id(),
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
    # null: the mall does not tell whether the goods were sold before they can be sent
    Column("is_reserved", Boolean),
    Column("sendable_from", BigInteger),
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
    row_id(),
    Column("shop_id", ForeignKey(shops.c.id, ondelete="CASCADE"), nullable=False),
    Column("claim_key", Text, nullable=False),
    # that of the order: two sub-shops may number an order and its lines alike
    Column("sub_shop", Text, nullable=False, server_default=text("''")),
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
    index_of_given("claims", "claim_no"),
    index_of_given("claims", "collect_tracking_no"),
    index_of_given("claims", "reship_tracking_no"),
)

inquiries = Table(
    "inquiries",
    metadata,
    row_id(),
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
    # Set when a complete run did not show it: when the mall was last asked for it by its number; since when
    # it says that there is none; when that was believed (hub/sync/sought.py). Shown again, all are null.
    Column("sought_at", BigInteger),
    Column("missing_since", BigInteger),
    Column("vanished_at", BigInteger),
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
    row_id(),
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
    row_id(),
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
    row_id(),
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
    row_id(),
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
    row_id(),
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
    # when the oldest run began after which nobody has settled yet what it met
    Column("unsettled_since", BigInteger),
)
