"""What the agents' telephones do now, as the exchanges last told it."""

from sqlalchemy import BigInteger, Column, Table, Text

from hub.store.columns import metadata

phone_agents = Table(
    "phone_agents",
    metadata,
    Column("pbx", Text, primary_key=True),
    Column("member", Text, primary_key=True),
    # see ivr.phone.AgentState
    Column("state", Text, nullable=False),
    # why paused, as the exchange words it; empty: no reason told
    Column("reason", Text, nullable=False),
    Column("since", BigInteger, nullable=False),
)
