"""The tables of alerts, and what is still to be sent about them."""

from sqlalchemy import BigInteger, Column, ForeignKey, Index, Integer, Table, Text, text

from hub.store.columns import metadata

# What is or was wrong, once per key while it lasts. A row not yet raised is watched: gone before its
# patience ends, it is deleted and nobody hears of it.
alerts = Table(
    "alerts",
    metadata,
    Column("id", BigInteger, primary_key=True, autoincrement=False),
    # hub.desk.alerting.alerts.AlertKind, and what it is about
    Column("key", Text, nullable=False),
    Column("kind", Text, nullable=False),
    # warning | critical
    Column("severity", Text, nullable=False),
    # JSON: names and figures of its sentence; never a personal datum
    Column("facts", Text, nullable=False),
    Column("since_at", BigInteger, nullable=False),
    Column("raised_at", BigInteger),
    Column("told_at", BigInteger),
    Column("recovered_at", BigInteger),
    Index(
        "uq_alerts_key_open",
        "key",
        unique=True,
        sqlite_where=text("recovered_at IS NULL"),
        postgresql_where=text("recovered_at IS NULL"),
    ),
    Index("ix_alerts_raised_at_id", "raised_at", "id"),
)

# One telling of an alert on one channel, kept until it is sent.
alert_messages = Table(
    "alert_messages",
    metadata,
    Column("id", BigInteger, primary_key=True, autoincrement=False),
    Column("alert_id", ForeignKey(alerts.c.id, ondelete="CASCADE"), nullable=False, index=True),
    # raised | reminded | recovered
    Column("event", Text, nullable=False),
    # mail | webhook
    Column("channel", Text, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    # null when nothing is left to do: sent, or given up
    Column("due_at", BigInteger, index=True),
    Column("tries", Integer, nullable=False),
    Column("sent_at", BigInteger),
    # kind of the newest failure, never its text: it may quote an address with a key in it
    Column("error", Text),
)
