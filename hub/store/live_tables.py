"""What open screens are told at once."""

from sqlalchemy import Column, Table, Text

from hub.store.columns import metadata, row_id

# A few minutes of news; whoever missed more reads its page again. Nothing personal stands here.
live_events = Table(
    "live_events",
    metadata,
    row_id(),
    # hub.store.live.Topic
    Column("topic", Text, nullable=False),
    # JSON
    Column("body", Text, nullable=False),
)
