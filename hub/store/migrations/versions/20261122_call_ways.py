"""ways of calls, wishes for callbacks, talks and states of agents, files that are followed"""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0015"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "agent_states",
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("agent", sa.Text(), nullable=False),
        sa.Column("queue", sa.Text(), nullable=False),
        sa.Column("mall", sa.Text(), nullable=True),
        sa.Column("line", sa.Text(), nullable=True),
        sa.Column("state", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("digest", name=op.f("pk_agent_states")),
    )
    op.create_index("ix_agent_states_at", "agent_states", ["at"], unique=False)
    op.create_table(
        "call_follows",
        sa.Column("path", sa.Text(), nullable=False),
        sa.Column("pbx", sa.Text(), nullable=False),
        sa.Column("looked_at", sa.BigInteger(), nullable=False),
        sa.Column("problem", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("path", "pbx", name=op.f("pk_call_follows")),
    )
    with op.batch_alter_table("calls", schema=None) as batch_op:
        batch_op.add_column(sa.Column("callback_at", sa.BigInteger(), nullable=True))
        batch_op.add_column(sa.Column("ways", sa.Text(), nullable=True))
        batch_op.add_column(sa.Column("talks", sa.Text(), nullable=True))
    # What was read before: the wish came with the call.
    op.execute("UPDATE calls SET callback_at = entered_at WHERE result = 'callback_requested'")


def downgrade() -> None:
    with op.batch_alter_table("calls", schema=None) as batch_op:
        batch_op.drop_column("talks")
        batch_op.drop_column("ways")
        batch_op.drop_column("callback_at")
    op.drop_table("call_follows")
    op.drop_index("ix_agent_states_at", table_name="agent_states")
    op.drop_table("agent_states")
